// The first look: what was answered for how much and how well, and what an operator should know at once.

import { byId, h, put, say } from "./dom.js";
import { count, date, hour, interval, isKnown, money, percent, plural, quality } from "./words.js";

const CARDS = ["Requests", "Spent", "Quality", "In work"];

export function overview() {
  const cards = CARDS.map((name) => {
    const value = h("dd", { class: "value" }, "–");
    const context = h("dd", { class: "context" });
    return { node: h("div", null, h("dt", null, name), value, context), value, context };
  });
  const attention = h("ul", { class: "attention", "aria-label": "What needs attention" });
  const spans = h("fieldset", { class: "spans" }, h("legend", null, "Over the last"));
  byId("overview").append(spans, h("dl", { class: "cards" }, cards.map(({ node }) => node)), attention);

  return {
    /** Offers the stretches of the past, and calls back when one is chosen. */
    offer(names, chosen, choose) {
      if (spans.childElementCount === names.length + 1) return;
      put(spans, spans.firstElementChild, names.map((name, n) => h("label", null, h("input", { type: "radio", name: "span", value: name, checked: name === chosen || (!chosen && n === 0), change: () => choose(name) }), name)));
    },
    update({ now, span, models, steering }) {
      if (!now || !span) return;
      say(byId("title"), now.name);
      document.title = `${now.name} · banditroute`;
      say(byId("subtitle"), `Runs banditroute ${now.version} since ${date(now.began_at).slice(0, -3)} UTC; as of ${hour(now.at)}.`);
      byId("summary").hidden = false;
      say(byId("summary"), summary(span));
      const values = cardsOf(now, span);
      cards.forEach(({ value, context }, n) => {
        say(value, values[n][0]);
        say(context, values[n][1]);
      });
      const warnings = warningsOf(now, models ?? [], steering);
      attention.hidden = warnings.length === 0;
      if (attention.textContent !== warnings.join("")) put(attention, warnings.map((text) => h("li", null, text)));
    },
  };
}

function cardsOf(now, span) {
  const requests = span.requests;
  return [
    [count(requests), span.failed ? `${count(span.failed)} got no whole answer` : `in the last ${span.name}`],
    [money(span.spent_usd), requests ? `${money(span.spent_usd / requests)} a request${span.judging_usd ? `; judging ${money(span.judging_usd)}` : ""}` : "nothing was asked"],
    [quality(span.quality), span.judged ? `${interval(span.low, span.high)}, by ${plural(span.judged, "judged answer")}` : "nobody judged"],
    [count(now.in_work), `of at most ${count(now.most_in_work)} at once`],
  ];
}

function summary(span) {
  if (!span.requests) return `No request in the last ${span.name}.`;
  const top = [...span.models].sort((a, b) => b.answers - a.answers)[0];
  const who = top?.answers ? ` ${top.model} gave ${percent(top.share)} of the answers.` : "";
  const well = isKnown(span.quality) ? `, at quality ${quality(span.quality)}` : "";
  return `${plural(span.requests, "request")} in the last ${span.name} for ${money(span.spent_usd)}${well}.${who}`;
}

function warningsOf(now, models, steering) {
  const found = [];
  if (now.draining) found.push("The gateway is draining: new requests are refused.");
  if (steering?.only) found.push(`Everything is switched to ${steering.only}.`);
  if (steering?.frozen) found.push("Exploration is frozen: nothing is tried.");
  for (const each of models) {
    if (each.refusal) found.push(`${each.model} cannot be called: ${each.refusal}.`);
  }
  return found;
}

