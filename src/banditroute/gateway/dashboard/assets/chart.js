// A figure: what it shows in words, the drawing at the width that there is, and a table of its numbers.

import { h, put, s, say } from "./dom.js";
import { linear, ticks, timeTicks } from "./scales.js";
import { day, hour } from "./words.js";

/**
 * A figure. `draw(data, width)` returns an SVG; `describe(data)` a sentence that stands for it; `numbers` a table.
 * It is drawn anew when the data or the width change, and not at all while nobody can see it.
 */
export function chart({ title, caption, draw, describe, numbers, legend }) {
  const host = h("div", { class: "drawing" });
  const heading = h("h3", null, title);
  const text = h("p", null, caption ?? "");
  const key = h("ul", { class: "legend", hidden: !legend });
  const details = numbers && h("details", { class: "data" }, h("summary", null, "The numbers in this chart"), numbers.table.node);
  const node = h("figure", { class: "chart" }, h("figcaption", null, heading, text), key, host, details);
  let data = null;
  let width = 0;
  let seen = false;
  let stale = false;

  function paint() {
    stale = true;
    if (data === null || width < 40 || !seen) return;
    stale = false;
    const drawing = draw(data, width);
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", `${heading.textContent}. ${describe(data)}`);
    put(host, drawing);
  }

  new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now !== width) {
      width = now;
      paint();
    }
  }).observe(host);
  new IntersectionObserver(([entry]) => {
    seen = entry.isIntersecting;
    if (seen && stale) paint();
  }, { rootMargin: "200px" }).observe(node);

  return {
    node,
    update(next, words = {}) {
      data = next;
      if (words.title) say(heading, words.title);
      if (words.caption !== undefined) say(text, words.caption);
      if (legend) put(key, legend(next).map(entryOf));
      if (numbers) numbers.table.update(numbers.of(next));
      paint();
    },
  };
}

function entryOf({ label, look, shape }) {
  const mark = s("svg", { class: `swatch ${look}`, viewBox: "0 0 18 12", width: 18, height: 12, "aria-hidden": "true" }, shape ?? s("rect", { width: 18, height: 12, rx: 2 }));
  return h("li", null, mark, label);
}

/** An empty drawing of a size, in CSS pixels. */
export function canvas(width, height) {
  return s("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
}

/** A text; `anchor` is start, middle or end. */
export function label(x, y, text, anchor = "start", look = "muted") {
  return s("text", { x, y, "text-anchor": anchor, class: look }, text);
}

/** Lines across at the ticks of a scale, with their texts at the left of a box. */
export function rows(box, scale, values, text) {
  return values.flatMap((value) => [
    s("line", { x1: box.left, x2: box.right, y1: scale(value), y2: scale(value), class: "grid" }),
    label(box.left - 8, scale(value) + 4, text(value), "end"),
  ]);
}

/** An axis of time below a box, UTC. */
export function timeAxis(box, [from, to], { title = "UTC" } = {}) {
  const x = linear([from, to], [box.left, box.right]);
  const wide = box.right - box.left > 420;
  const text = to - from > 2 * 86400 ? day : (at) => (at % 86400 === 0 && to - from > 3600 ? day(at) : hour(at));
  const fits = (at) => x(at) > box.right - 1 || x(at) < box.right - 64 || to % 86400 !== 0;
  const found = timeTicks(from, to, wide ? 8 : 4).filter(fits);
  return [
    s("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, class: "rule" }),
    ...found.flatMap((at) => [
      s("line", { x1: x(at), x2: x(at), y1: box.bottom, y2: box.bottom + 4, class: "rule" }),
      label(Math.min(x(at), box.right), box.bottom + 18, text(at), x(at) > box.right - 18 ? "end" : "middle"),
    ]),
    label(box.right, box.bottom + 34, title, "end"),
  ];
}

/** A scale of values that begins at nothing, with its ticks. */
export function upFromZero(box, most, about = 4) {
  const top = (most || 1) * 1.08;
  return { scale: linear([0, top], [box.bottom, box.top]), ticks: ticks(0, top, about) };
}

/** The path through points that are next to each other; `null` breaks it. */
export function pathOf(points) {
  let pen = "M";
  return points
    .map((point) => {
      if (point === null) {
        pen = "M";
        return "";
      }
      const step = `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
}

/** Which of twelve shades a model has, by its rank from cheap to dear: as in the reports. */
export function shade(rank, models) {
  return Math.min(Math.round((11 * (rank + (models === 1 ? 0.5 : 0))) / Math.max(models - 1, 1)), 11);
}
