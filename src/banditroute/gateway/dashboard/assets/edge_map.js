// Where every model stands in cost and quality, one task class at a time or all at once, and how sure that is.

import { canvas, chart, label, rows, shade } from "./chart.js";
import { s } from "./dom.js";
import { linear, logarithmic, logTicks, ticks } from "./scales.js";
import { table } from "./table.js";
import { count, interval, money, moneyTick, percent, quality, seconds, shorten } from "./words.js";

const SHAPES = ["M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z", "M-4.5-4.5h9v9h-9Z", "M0-5.6L5.4 4.4h-10.8Z", "M0-6L6 0L0 6L-6 0Z", "M0 5.6L5.4-4.4h-10.8Z", "M-2-5.5h4v3.5h3.5v4H2v3.5h-4V2h-3.5v-4H-2Z"];

export function edgeMap() {
  const numbers = table({
    name: "edge-numbers",
    caption: "What is believed of every pair, with 95% intervals.",
    columns: [
      { label: "Task class", of: ({ task }) => task },
      { label: "Model", of: ({ model }) => model },
      { label: "Share", number: true, of: ({ share }) => percent(share) },
      { label: "Quality", number: true, of: (e) => ({ text: quality(e.quality), detail: interval(e.quality_low, e.quality_high) }) },
      { label: "Dollars", number: true, of: (e) => ({ text: money(e.cost_usd), detail: `${money(e.cost_low_usd)} to ${money(e.cost_high_usd)}` }) },
      { label: "Seconds", number: true, of: (e) => seconds(e.latency_s) },
      { label: "Judged", number: true, of: (e) => count(e.judged) },
      { label: "Answered", number: true, of: (e) => count(e.answered) },
    ],
    keyOf: ({ task, model }) => `${task}\n${model}`,
  });
  return chart({
    title: "Cost and quality",
    draw,
    describe: ({ edges, task }) => `Believed quality against believed dollars of ${edges.length} pairs of task class and model${task ? `, in ${task}` : ""}.`,
    numbers: { table: numbers, of: ({ edges }) => edges },
    legend: ({ models }) => models.map((model, n) => ({ label: shorten(model, 28), look: `mark m${shade(n, models.length)}`, shape: s("path", { d: SHAPES[n % SHAPES.length], transform: "translate(9 6)" }) })),
  });
}

function draw({ edges, models, task }, width) {
  const box = { left: 46, right: width - 14, top: 30, bottom: 330 };
  const svg = canvas(width, box.bottom + 48);
  const costs = edges.flatMap((e) => [e.cost_usd, e.cost_high_usd, e.cost_low_usd]).filter((usd) => usd > 0);
  const [from, to] = costs.length ? [Math.min(...costs) / 1.4, Math.max(...costs) * 1.4] : [1e-5, 1e-2];
  const lows = edges.flatMap((e) => [e.quality_low, e.quality_high]);
  const domain = lows.length ? [Math.max(Math.min(...lows) - 0.03, 0), Math.min(Math.max(...lows) + 0.03, 1.02)] : [0, 1];
  const x = logarithmic([from, to], [box.left, box.right]);
  const y = linear(domain, [box.bottom, box.top]);
  svg.append(
    label(0, 14, "Quality, mean score from 0 to 1"),
    ...rows(box, y, ticks(...domain, 6).filter((value) => value <= 1), (value) => quality(value, 2)),
    ...columns(box, x, logTicks(from, to, width < 480 ? 4 : 8)),
    label(box.right, box.bottom + 40, "Cost, dollars per request (log scale)", "end"),
    ...edges.map((edge) => ellipse(edge, x, y, models)),
    ...edges.map((edge) => mark(edge, x, y, models)),
    ...labels(edges, x, y, box, task),
  );
  return svg;
}

function columns(box, x, values) {
  return [
    s("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, class: "rule" }),
    ...values.flatMap((value) => [
      s("line", { x1: x(value), x2: x(value), y1: box.bottom, y2: box.bottom + 4, class: "rule" }),
      label(x(value), box.bottom + 18, moneyTick(value), "middle"),
    ]),
  ];
}

const look = (edge, models) => `m${shade(Math.max(models.indexOf(edge.model), 0), models.length)}`;

/** An ellipse about the mark that reaches to the ends of both 95% intervals: of four quarters, for these may differ. */
function ellipse(edge, x, y, models) {
  const [cx, cy] = [x(edge.cost_usd), y(edge.quality)];
  const [left, right] = [x(edge.cost_low_usd), x(edge.cost_high_usd)];
  const [bottom, top] = [y(edge.quality_low), y(edge.quality_high)];
  const quarter = (rx, ry, toX, toY) => `A${Math.max(rx, 0.1).toFixed(1)} ${Math.max(ry, 0.1).toFixed(1)} 0 0 1 ${toX.toFixed(1)} ${toY.toFixed(1)}`;
  const d = `M${left.toFixed(1)} ${cy.toFixed(1)}${quarter(cx - left, cy - top, cx, top)}${quarter(right - cx, cy - top, right, cy)}${quarter(right - cx, bottom - cy, cx, bottom)}${quarter(cx - left, bottom - cy, left, cy)}Z`;
  return s("path", { d, class: `doubt ${look(edge, models)}` });
}

function mark(edge, x, y, models) {
  const size = 0.75 + 0.9 * Math.sqrt(edge.share ?? 0);
  const text = `${edge.task}, ${edge.model}: quality ${quality(edge.quality)}, ${money(edge.cost_usd)}, ${percent(edge.share)} of the class`;
  const rank = Math.max(models.indexOf(edge.model), 0);
  return s("path", { d: SHAPES[rank % SHAPES.length], transform: `translate(${x(edge.cost_usd).toFixed(1)} ${y(edge.quality).toFixed(1)}) scale(${size.toFixed(2)})`, class: `mark ${look(edge, models)}` }, s("title", null, text));
}

/** Names beside marks, where there is room: models of one class, or classes at the model that serves most of them. */
function labels(edges, x, y, box, task) {
  const taken = edges.map((edge) => ({ left: x(edge.cost_usd) - 6, right: x(edge.cost_usd) + 6, top: y(edge.quality) - 6, bottom: y(edge.quality) + 6 }));
  const named = task ? edges : edges.filter(({ share }) => share >= 0.5);
  return [...named].sort((a, b) => (b.share ?? 0) - (a.share ?? 0)).flatMap((edge) => {
    const text = shorten(task ? edge.model : edge.task, 24);
    const found = places(x(edge.cost_usd), y(edge.quality), 6.6 * text.length).find((place) => within(place, box) && !taken.some((other) => overlap(place, other)));
    if (!found) return [];
    taken.push(found);
    return [label(found.left, found.bottom - 3, text, "start", "ink")];
  });
}

function places(x, y, width) {
  const at = (left, middle) => ({ left, right: left + width, top: middle - 8, bottom: middle + 8 });
  return [at(x + 12, y), at(x - 12 - width, y), at(x - width / 2, y - 18), at(x - width / 2, y + 18), at(x + 10, y - 14), at(x + 10, y + 14)];
}

const within = (place, box) => place.left > box.left && place.right < box.right + 8 && place.top > box.top - 12 && place.bottom < box.bottom;
const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
