// Spend against every budget.

import { capChart, capInWords, priceInWords } from "./cap_chart.js";
import { byId, h } from "./dom.js";
import { laneChart } from "./lane_chart.js";
import { table } from "./table.js";
import { date, isKnown, money, moneyTick, percent, plural, quality, stretch } from "./words.js";

const scoped = (scope) => (scope === "global" ? "all requests" : scope.replace(":", " "));

export function budgets() {
  const none = h("p", { class: "note", hidden: true }, "The configuration has no budget.");
  const host = h("div", { class: "pair" });
  const spend = laneChart({
    title: "Spend",
    describe: ({ points }) => `${points.length} bins.`,
    numbers: { table: lanes("spend-numbers", "Dollars by bin.", "Dollars", money), of: newestFirst },
  });
  byId("budgets").append(none, host, spend.node);
  const shown = new Map();

  function chartOf(name, make) {
    if (!shown.has(name)) {
      const made = make();
      shown.set(name, made);
      host.append(made.node);
    }
    return shown.get(name);
  }

  function forget(names) {
    for (const [name, { node }] of shown) {
      if (!names.has(name)) {
        node.remove();
        shown.delete(name);
      }
    }
  }

  return {
    update({ budgets: found, span, now }) {
      if (!found || !span || !now) return;
      none.hidden = found.caps.length + found.paces.length > 0;
      forget(new Set([...found.caps.map((cap) => `cap ${cap.name}`), ...found.paces.map((pace) => `pace ${pace.name}`)]));
      found.caps.forEach((cap, n) => {
        const made = chartOf(`cap ${cap.name}`, () => capChart(`cap-${n}-numbers`));
        made.update(cap, { title: `${cap.name}: ${money(cap.usd)} per ${cap.period}, ${scoped(cap.scope)}`, caption: capInWords(cap, now.at) });
      });
      found.paces.forEach((pace, n) => {
        const made = chartOf(`pace ${pace.name}`, () => paceChart(n));
        made.update(paceData(pace, span, now), { title: `${pace.name}: ${money(pace.usd_per_request)} per request, ${scoped(pace.scope)}`, caption: paceInWords(pace) });
      });
      spend.update({ ...axis(span, now), points: span.bins.at.map((at, t) => ({ at, value: span.bins.spent_usd[t] })), bars: true, text: moneyTick }, { title: `Spend, dollars per ${stretch(span.bin_s)}`, caption: "All requests; judges' calls are not among them." });
    },
  };
}

const axis = (span, now) => ({ span: [span.starts_at, now.at], binS: span.bin_s });
const newestFirst = ({ points }) => points.toReversed();

function paceChart(n) {
  return laneChart({
    title: "",
    describe: ({ points }) => `Running mean of spend over budget: ${percent(points.at(-1)?.value)} now.`,
    numbers: { table: lanes(`pace-${n}-numbers`, "Running mean of spend over budget, and the shadow price.", "Spend over budget", percent, { label: "Shadow price", number: true, of: ({ price }) => quality(price) }), of: newestFirst },
  });
}

function paceData(pace, span, now) {
  const marks = (span.paces[pace.name] ?? []).map(([at, value, price]) => ({ at, value, price }));
  const last = isKnown(pace.lately) ? [{ at: now.at, value: pace.lately, price: pace.shadow_price }] : [];
  return { ...axis(span, now), points: [...marks, ...last], instants: true, least: 0.8, most: 1.2, cut: Math.max(2.5, 1.2 * (pace.lately ?? 0)), limit: { value: 1 }, text: percent };
}

function paceInWords(pace) {
  if (!isKnown(pace.lately)) return "No request so far.";
  const line = "The line is the running mean of spend over budget, which is dashed.";
  return `Lately ${percent(pace.lately)} of it is spent, over ${plural(pace.requests, "request")} in all; ${priceInWords(pace.shadow_price)}. ${line}`;
}

export function lanes(name, caption, label, text, ...more) {
  return table({
    name,
    caption,
    columns: [{ label: "When (UTC)", of: ({ at }) => date(at) }, { label, number: true, of: ({ value }) => text(value) }, ...more],
    keyOf: ({ at }) => at,
  });
}

