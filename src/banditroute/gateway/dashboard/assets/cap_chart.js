// What a cap's window has cost by when, and what it will have cost at its end.

import { canvas, chart, label, pathOf, rows, timeAxis, upFromZero } from "./chart.js";
import { s } from "./dom.js";
import { linear } from "./scales.js";
import { table } from "./table.js";
import { ABSENT, date, isKnown, money, moneyTick, percent } from "./words.js";

export function capChart(name) {
  const numbers = table({
    name,
    caption: "What was spent in the window by when, since the gateway runs; what is expected at its end.",
    columns: [
      { label: "When (UTC)", of: ([at]) => date(at) },
      { label: "Spent", number: true, of: ([, spent]) => money(spent) },
      { label: "", of: ([, , what]) => what ?? "" },
    ],
    keyOf: ([at, , what]) => `${at} ${what ?? ""}`,
  });
  return chart({ title: "", draw, describe, numbers: { table: numbers, of: numbersOf } });
}

function numbersOf(cap) {
  const end = isKnown(cap.forecast_usd) ? [[cap.ends_at, cap.forecast_usd, "forecast"]] : [];
  return [...cap.line.map(([at, spent]) => [at, spent]), ...end];
}

function describe(cap) {
  const end = isKnown(cap.forecast_usd) ? `; ${money(cap.forecast_usd)} expected at its end` : "";
  return `${money(cap.spent_usd)} of ${money(cap.usd)} spent in this ${cap.period}${end}.`;
}

function draw(cap, width) {
  const box = { left: 56, right: width - 10, top: 14, bottom: 190 };
  const svg = canvas(width, box.bottom + 40);
  const span = [cap.starts_at, cap.ends_at];
  const x = linear(span, [box.left, box.right]);
  const { scale: y, ticks } = upFromZero(box, Math.max(cap.usd, cap.spent_usd, cap.forecast_usd ?? 0));
  const spent = cap.line.map(([at, usd]) => [x(at), y(usd)]);
  const [now, usd] = cap.line.at(-1);
  const first = spent[0];
  svg.append(
    ...rows(box, y, ticks, moneyTick),
    ...timeAxis(box, span),
    s("line", { x1: x(cap.starts_at), y1: y(0), x2: x(cap.ends_at), y2: y(cap.usd), class: "even" }),
    s("path", { d: pathOf([[x(cap.starts_at), y(0)], first]), class: "unknown" }),
    s("path", { d: `${pathOf(spent)}L${x(now)} ${y(0)}L${first[0]} ${y(0)}Z`, class: "area s0" }),
    s("path", { d: pathOf(spent), class: "line s0" }),
    s("line", { x1: box.left, x2: box.right, y1: y(cap.usd), y2: y(cap.usd), class: "limit" }),
    label(box.left + 4, y(cap.usd) - 5, `cap ${money(cap.usd)}`, "start", "ink"),
  );
  if (isKnown(cap.forecast_usd)) {
    const end = [x(cap.ends_at), y(cap.forecast_usd)];
    const above = Math.abs(end[1] - y(cap.usd)) < 18 ? 16 : -8;
    svg.append(
      s("path", { d: pathOf([[x(now), y(usd)], end]), class: "forecast s0" }),
      s("circle", { cx: end[0], cy: end[1], r: 3.5, class: "dot s0" }),
      label(end[0] - 6, end[1] + above, `${money(cap.forecast_usd)} expected`, "end", "ink"),
    );
  }
  svg.append(s("circle", { cx: x(now), cy: y(usd), r: 4, class: "dot s0" }));
  const left = x(now) - box.left < 110;
  svg.append(label(x(now) + (left ? 8 : -8), y(usd) - 8, `${money(usd)} now`, left ? "start" : "end", "ink strong"));
  return svg;
}

/** Where a cap stands, in a sentence. */
export function capInWords(cap, now) {
  const share = cap.usd ? percent(cap.spent_usd / cap.usd) : ABSENT;
  const held = cap.reserved_usd > 0 ? `, ${money(cap.reserved_usd)} held for requests on their way` : "";
  const end = isKnown(cap.forecast_usd) ? ` At its end the ${cap.period} is expected to have cost ${money(cap.forecast_usd)}.` : "";
  const price = isKnown(cap.usd_per_request) ? ` It paces to ${money(cap.usd_per_request)} a request; ${priceInWords(cap.shadow_price)}.` : "";
  const full = cap.on_exhausted === "reject" ? "requests beyond it are turned down" : "beyond it the cheapest model serves";
  return `${money(cap.spent_usd)} of ${money(cap.usd)} spent (${share})${held}; ${full}.${end}${price}`;
}

/** What a shadow price asks of dearer answers. */
export function priceInWords(points) {
  if (!isKnown(points) || points < 0.0005) return "dollars are not short";
  return `an answer that costs one budget more must be ${points.toFixed(3).replace("0.", ".")} better to be worth it`;
}
