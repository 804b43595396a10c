// Server-sent events by fetch, because EventSource cannot carry the key in a header.

import { call } from "./gate.js";

const LEAST_MS = 1000;
const MOST_MS = 15000;
const SILENT_MS = 10000; // something comes every second

/** Follows the panel for good: `take(part, data)` for what comes, `tell(state, text)` for how the connection does. */
export function follow(spanOf, take, tell) {
  let wait = LEAST_MS;
  let current = null;

  async function once() {
    const aborted = new AbortController();
    current = aborted;
    let watch = setTimeout(() => aborted.abort(), SILENT_MS);
    const response = await call(`dashboard/events?span=${encodeURIComponent(spanOf())}`, { signal: aborted.signal, needed: true });
    for await (const chunk of events(response.body)) {
      clearTimeout(watch);
      watch = setTimeout(() => aborted.abort(), SILENT_MS);
      wait = LEAST_MS;
      tell("live", "live");
      if (chunk) take(chunk.event, JSON.parse(chunk.data));
    }
    clearTimeout(watch);
  }

  async function forever() {
    for (;;) {
      try {
        await once();
        tell("lost", "the gateway ended the connection; trying again");
      } catch (error) {
        if (error.name !== "AbortError" || !current.again) tell("lost", `not connected: ${error.message}; trying again`);
        if (current?.again) continue;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(2 * wait, MOST_MS);
    }
  }

  forever();
  return {
    /** Connects anew at once: something else is asked for. */
    again() {
      if (current) {
        current.again = true;
        current.abort();
      }
    },
  };
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) yield eventOf(block);
  }
}

/** What an event says; null for a comment, which only says that the gateway is there. */
function eventOf(block) {
  const fields = Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
  return fields.event ? { event: fields.event, data: fields.data } : null;
}
