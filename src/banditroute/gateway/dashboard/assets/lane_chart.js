// One measure over time: bars from nothing, or a line with the band of its intervals and a limit across.

import { canvas, chart, label, pathOf, rows, timeAxis } from "./chart.js";
import { s } from "./dom.js";
import { linear, ticks } from "./scales.js";
import { isKnown } from "./words.js";

/**
 * Data: `span` [from, to]; `binS`; `points` of { at, value, low, high }; `limit` { value, label? }; `bars`; `text` for
 * values; `least` and `most`, what the scale never leaves out; `cut`, where it ends at the latest.
 */
export function laneChart({ title, caption, describe, numbers }) {
  return chart({ title, caption, draw, describe, numbers });
}

function domainOf({ points, limit, bars, least, most, cut }) {
  const values = points.flatMap(({ value, low, high }) => [value, low, high]);
  const known = [...values, limit?.value, least, most, bars ? 0 : null].filter(isKnown);
  if (known.length === 0) return [0, 1];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const room = 0.08 * (high - low) || 0.1 * Math.abs(high) || 1;
  return [bars ? 0 : low - room, Math.min(high + room, cut ?? Infinity)];
}

function draw(data, width) {
  const box = { left: 56, right: width - 10, top: 12, bottom: 132 };
  const svg = canvas(width, box.bottom + 40);
  const domain = domainOf(data);
  const x = linear(data.span, [box.left, box.right]);
  const scale = linear(domain, [box.bottom, box.top]);
  const y = (value) => Math.max(scale(value), box.top);
  const shown = data.points.filter(({ at, value }) => at + data.binS > data.span[0] && at <= data.span[1] && isKnown(value));
  svg.append(...rows(box, y, ticks(...domain, 4), data.text), ...timeAxis(box, data.span));
  svg.append(...(data.bars ? bars(shown, data, x, y, box) : line(shown, data, (at) => Math.min(x(at), box.right), y)));
  if (data.limit) {
    const at = y(data.limit.value);
    svg.append(
      s("line", { x1: box.left, x2: box.right, y1: at, y2: at, class: "limit" }),
      data.limit.label ? label(box.left + 4, at - 5, data.limit.label, "start", "ink") : "",
    );
  }
  return svg;
}

function bars(points, { binS, text }, x, y, box) {
  return points.map(({ at, value }) => {
    const left = Math.max(x(at), box.left);
    const wide = Math.max(Math.min(x(at + binS), box.right) - left - 1, 1.5);
    return s("rect", { x: left, y: y(value), width: wide, height: Math.max(y(0) - y(value), 0), class: "bar s0" }, s("title", null, text(value)));
  });
}

function line(points, { binS, instants }, x, y) {
  const middle = ({ at }) => x(instants ? at : at + binS / 2);
  const apart = (n) => n > 0 && !instants && points[n].at - points[n - 1].at > 1.5 * binS;
  const broken = points.flatMap((point, n) => (apart(n) ? [null, point] : [point]));
  const place = (of) => broken.map((point) => (point === null ? null : [middle(point), y(of(point))]));
  const whiskers = points.filter(({ low }) => isKnown(low));
  return [
    ...runs(broken).map((run) => s("path", { d: `${pathOf(run.map((p) => [middle(p), y(p.low)]))}L${pathOf(run.toReversed().map((p) => [middle(p), y(p.high)])).slice(1)}Z`, class: "area s0" })),
    ...whiskers.map((p) => s("line", { x1: middle(p), x2: middle(p), y1: y(p.low), y2: y(p.high), class: "whisker s0" })),
    s("path", { d: pathOf(place(({ value }) => value)), class: "line s0" }),
    ...(points.length <= 100 && !instants ? points.map((p) => s("circle", { cx: middle(p), cy: y(p.value), r: 2.5, class: "dot s0" })) : []),
    ...(instants ? points.slice(-1).map((p) => s("circle", { cx: middle(p), cy: y(p.value), r: 4, class: "dot s0" })) : []),
  ];
}

/** Stretches of two points or more whose intervals are known. */
function runs(points) {
  const found = [[]];
  for (const point of points) {
    if (point === null || !isKnown(point.low)) found.push([]);
    else found.at(-1).push(point);
  }
  return found.filter((run) => run.length > 1);
}
