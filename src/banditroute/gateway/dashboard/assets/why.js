// Why a decision was made: who was eligible and with what prospects, who was not and why, what dollars were worth.

import { byId, h, put } from "./dom.js";
import { table } from "./table.js";
import { date, money, percent, quality, seconds } from "./words.js";

const SD95 = 1.96;

/** Shows the sheet of one decision; `ask` fetches from the gateway, `budgetsNow` has the budgets as they are now. */
export function whySheet(ask, budgetsNow) {
  const sheet = byId("why");
  sheet.addEventListener("close", () => {
    if (location.hash.startsWith("#why=")) history.replaceState(null, "", "#decisions");
  });
  const close = () => sheet.close();

  return async function open(id) {
    history.replaceState(null, "", `#why=${encodeURIComponent(id)}`);
    put(sheet, head("Why", close), h("p", null, "Looking it up."));
    if (!sheet.open) sheet.showModal();
    try {
      put(sheet, head("Why this model", close), ...found(await ask(`v1/decisions/${encodeURIComponent(id)}`), budgetsNow()));
    } catch (error) {
      put(sheet, head("Why", close), h("p", { class: "note", role: "alert" }, error.message));
    }
    sheet.querySelector("h2").focus();
  };
}

function head(title, close) {
  return h("div", { class: "sheet-head" }, h("h2", { id: "why-heading", tabindex: "-1" }, title), h("button", { type: "button", click: close }, "Close"));
}

function found(decision, budgets) {
  return [
    h("p", { class: "summary" }, inWords(decision)),
    facts([
      ["Decision", decision.decision_id],
      ["When", `${date(decision.at)} UTC`],
      ["Task class", decision.task],
      ["Tenant", decision.tenant],
      ["Prompt", `${decision.input_tokens} tokens, an estimate`],
      ["Policy", decision.policy_version],
    ]),
    h("h3", null, "Who might have been chosen"),
    eligible(decision, pointsPerDollar(decision.shadow_prices, budgets)),
    h("h3", null, "Who might not"),
    excluded(decision.excluded),
    h("h3", null, "What dollars were worth"),
    prices(decision.shadow_prices),
    h("h3", null, "What came of it"),
    ...outcome(decision),
    decision.shadow ? h("p", null, `Shadow ${decision.shadow.name} would have chosen ${decision.shadow.chosen}.`) : null,
  ];
}

function inWords({ chosen, propensity, pinned, propensities, forecasts }) {
  if (pinned) return `The caller named ${chosen}, so nothing was drawn.`;
  const others = Object.keys(propensities).length - 1;
  const forecast = forecasts[chosen];
  const likeliest = Object.entries(propensities).sort((a, b) => b[1] - a[1])[0][0];
  const drawn = `${chosen} was drawn with probability ${percent(propensity)}${others ? ` beside ${others} other${others > 1 ? "s" : ""}` : ""}`;
  const hope = forecast ? `, expected to reach quality ${quality(forecast.quality)} for ${money(forecast.cost_usd)}` : "";
  return `${drawn}${hope}.${likeliest === chosen ? " It was the likeliest choice." : ` ${likeliest} was likelier: this was a try.`}`;
}

/** Quality points that a dollar had to earn, by what budgets pace to now; null where one of them is not known. */
function pointsPerDollar(shadowPrices, budgets) {
  const known = new Map([...(budgets?.caps ?? []), ...(budgets?.paces ?? [])].map((each) => [each.name, each.usd_per_request]));
  const each = Object.entries(shadowPrices).map(([name, points]) => points / (known.get(name) ?? NaN));
  const sum = each.reduce((total, points) => total + points, 0);
  return Number.isFinite(sum) ? sum : null;
}

function eligible({ propensities, forecasts, chosen }, perDollar) {
  const worth = (forecast) => (forecast && perDollar !== null ? forecast.quality - perDollar * forecast.cost_usd : null);
  const made = table({
    name: "why-eligible",
    caption: "With which probability each was drawn, and what was expected of it: quality ± 95%; worth, which is quality less what the dollars had to earn, about.",
    columns: [
      { label: "Model", of: ([model]) => ({ text: model, detail: model === chosen ? "chosen" : "" }) },
      { label: "Probability", number: true, shaded: true, of: ([, p]) => ({ text: percent(p), share: p }) },
      { label: "Quality", number: true, of: ([, , f]) => ({ text: quality(f?.quality), detail: f ? `± ${quality(SD95 * f.quality_sd)}` : "" }) },
      { label: "Dollars", number: true, of: ([, , f]) => money(f?.cost_usd) },
      { label: "Worth", number: true, of: ([, , f]) => quality(worth(f)) },
      { label: "Seconds", number: true, of: ([, , f]) => seconds(f?.latency_s) },
    ],
    keyOf: ([model]) => model,
  });
  const rows = Object.entries(propensities).map(([model, p]) => [model, p, forecasts[model]]);
  made.update(rows.sort((a, b) => b[1] - a[1]));
  return made.node;
}

function excluded(reasons) {
  const entries = Object.entries(reasons);
  return entries.length ? facts(entries) : h("p", { class: "nothing" }, "Every model was eligible.");
}

function prices(shadowPrices) {
  const entries = Object.entries(shadowPrices);
  if (!entries.length) return h("p", { class: "nothing" }, "No paced budget covers it: money was no object.");
  return facts(entries.map(([budget, points]) => [budget, points < 0.0005 ? "dollars were not short" : `${quality(points)} quality points for one budget of dollars`]));
}

function outcome({ outcome: known, feedback }) {
  if (!known) return [h("p", { class: "nothing" }, "It is not settled yet.")];
  const calls = (known.attempts ?? []).map(({ model, duration_s: took, cost_usd: usd, failure }) => h("li", null, `${model}: ${failure || "answered"} after ${seconds(took)}, ${money(usd)}`));
  const judged = feedback.map(({ source, quality: points, weight }) => h("li", null, `${source} judged ${quality(points)}${weight === 1 ? "" : `, counting ${percent(weight)}`}`));
  return [
    facts([
      ["Answered by", known.served || "nobody"],
      ["Dollars", `${money(known.cost_usd)}${known.estimated ? ", an estimate" : ""}`],
      ["Time", seconds(known.latency_s)],
      ["First token", known.ttft_s === null ? "" : seconds(known.ttft_s)],
      ["Tokens", known.usage ? `${known.usage.input_tokens} in, ${known.usage.output_tokens} out` : ""],
    ]),
    calls.length ? h("ul", { class: "bullets" }, calls) : null,
    judged.length ? h("ul", { class: "bullets" }, judged) : h("p", { class: "nothing" }, "Nobody judged it yet."),
  ];
}

function facts(pairs) {
  return h("dl", { class: "terms" }, pairs.filter(([, value]) => value !== "").map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}
