// Puts the page together: parts of the panel come in, the sections that show them are drawn at the next frame.

import { budgets } from "./budgets.js";
import { controls } from "./controls.js";
import { decisions } from "./decisions.js";
import { byId, say } from "./dom.js";
import { edges } from "./edges.js";
import { act, ask, forgetKey, hasKey } from "./gate.js";
import { happened } from "./happened.js";
import { follow } from "./live.js";
import { models } from "./models.js";
import { overview } from "./overview.js";
import { rules } from "./rules.js";
import { theme } from "./theme.js";
import { whySheet } from "./why.js";

const announce = (text) => say(byId("announcer"), text);
const panel = {};
let span = "";
let paused = false;
let due = false;

theme();
const first = overview();
const openWhy = whySheet(ask, () => panel.budgets);
const sections = [first, budgets(), models(), edges(), decisions(openWhy), happened(announce), rules(), controls(act, announce)];

function draw() {
  due = false;
  if (panel.span) first.offer(panel.span.spans, span, choose);
  for (const section of sections) section.update(panel);
}

function drawSoon() {
  if (due || paused) return;
  due = true;
  requestAnimationFrame(draw);
}

function take(part, data) {
  panel[part] = part === "span" ? trimmed(data) : data;
  byId("forget").hidden = !hasKey();
  drawSoon();
}

/** The span from when there is anything to show; a tenth of it at least. */
function trimmed(data) {
  const end = data.starts_at + data.length_s;
  const first = Math.min(data.bins.at[0] ?? end, end - data.length_s / 10);
  return { ...data, starts_at: Math.max(data.starts_at, first) };
}

function tell(state, text) {
  const place = byId("connection");
  if (place.dataset.state !== state && place.dataset.state !== "waiting") announce(state === "live" ? "Connected again." : text);
  place.dataset.state = state;
  say(place, paused && state === "live" ? "paused" : text);
}

const connection = follow(() => span, take, tell);

function choose(name) {
  span = name;
  connection.again();
}

byId("pause").addEventListener("click", ({ currentTarget: button }) => {
  paused = !paused;
  button.setAttribute("aria-pressed", String(paused));
  if (!paused) drawSoon();
});
byId("forget").addEventListener("click", () => {
  forgetKey();
  location.reload();
});

function openFromAddress() {
  if (location.hash.startsWith("#why=")) openWhy(decodeURIComponent(location.hash.slice(5)));
}

addEventListener("hashchange", openFromAddress);
openFromAddress();
