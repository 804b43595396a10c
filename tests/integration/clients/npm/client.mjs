// The npm packages as they are. Each line of standard input is a call, each line of standard output what came of it.
import { createInterface } from "node:readline";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const LIBRARIES = { openai: OpenAI, anthropic: Anthropic };

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}

async function answer({ library, options, method, body, awaited, leave }) {
  const told = { chunks: [] };
  try {
    const client = new LIBRARIES[library](options);
    const path = method.split(".");
    const owner = path.slice(0, -1).reduce((object, name) => object[name], client);
    const result = owner[path.at(-1)](body);
    if (awaited) {
      told.value = await result[awaited]();
    } else if (body.stream) {
      for await (const chunk of await result) {
        told.chunks.push(chunk);
        if (told.chunks.length === leave) break; // the packages abort the request then
      }
    } else {
      told.value = await result;
    }
  } catch (error) {
    told.error = described(error);
  }
  return told;
}

function described(error) {
  const kinds = [];
  for (let kind = error.constructor; kind.name; kind = Object.getPrototypeOf(kind)) kinds.push(kind.name);
  const { status, code, type, param, message } = error;
  return { kinds, status, code, type, param, message, retryAfter: error.headers?.get("retry-after") };
}
