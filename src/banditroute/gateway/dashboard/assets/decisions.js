// The newest decisions; each opens to why it was made.

import { byId, h } from "./dom.js";
import { table } from "./table.js";
import { ABSENT, clock, money, percent, quality, seconds } from "./words.js";

export function decisions(open) {
  const listing = table({
    name: "decisions-table",
    caption: "Of this process; the list waits while you point at it. Probability: with which the model was drawn. Quality: the first judgement, where there is one.",
    columns: [
      { label: "When (UTC)", of: (d) => ({ text: clock(d.at), node: () => h("button", { type: "button", class: "link", "aria-haspopup": "dialog", "aria-label": `Why ${d.chosen} was chosen at ${clock(d.at)}`, click: () => open(d.decision_id) }, clock(d.at)) }) },
      { label: "Task class", of: (d) => ({ text: d.task, detail: d.tenant }) },
      { label: "Model", of: (d) => ({ text: servedBy(d), detail: d.calls > 1 ? `${d.calls} calls` : "" }) },
      { label: "Probability", number: true, of: (d) => (d.propensity === null ? "by name" : percent(d.propensity)) },
      { label: "Dollars", number: true, of: (d) => money(d.cost_usd) },
      { label: "Seconds", number: true, of: (d) => seconds(d.latency_s) },
      { label: "Quality", number: true, of: (d) => quality(d.quality) },
    ],
    keyOf: ({ decision_id: id }) => id,
    empty: "No decision yet.",
    held: true,
  });
  const input = h("input", { id: "decision-id", autocomplete: "off", spellcheck: "false", required: true });
  const asked = (event) => {
    event.preventDefault();
    open(input.value.trim());
  };
  const form = h("form", { class: "choice", submit: asked }, h("label", { for: "decision-id" }, "Decision"), " ", input, " ", h("button", { type: "submit" }, "Why?"));
  byId("decisions").append(form, listing.node);
  return { update: ({ decisions: found }) => found && listing.update(found) };
}

function servedBy({ chosen, served }) {
  if (!served) return `${chosen} → ${ABSENT}`;
  return served === chosen ? chosen : `${chosen} → ${served}`;
}
