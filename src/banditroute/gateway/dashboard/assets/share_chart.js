// Who answered in every bin of time, stacked from the cheapest model at the bottom to the dearest at the top.

import { canvas, chart, label, rows, shade, timeAxis } from "./chart.js";
import { s } from "./dom.js";
import { linear } from "./scales.js";
import { table } from "./table.js";
import { count, date, percent, shorten } from "./words.js";

export function shareChart() {
  const numbers = table({
    name: "share-numbers",
    caption: "Answers of each model, bin by bin, newest first.",
    columns: [
      { label: "From (UTC)", of: ({ at }) => date(at) },
      { label: "Answers", number: true, of: ({ total }) => count(total) },
      { label: "Of them", of: ({ text }) => text },
    ],
    keyOf: ({ at }) => at,
  });
  return chart({
    title: "Who answers",
    caption: "Each model's share of the answers of every bin.",
    draw,
    describe: ({ models }) => `${models.filter(({ share }) => share).map(({ model, share }) => `${model} ${percent(share)}`).join(", ") || "No answers"}.`,
    numbers: { table: numbers, of: numbersOf },
    legend: ({ models }) => models.map(({ model }, n) => ({ label: shorten(model, 28), look: `area-of m${shade(n, models.length)}` })),
  });
}

function numbersOf({ bins, models }) {
  return bins.at
    .map((at, t) => {
      const answers = models.map(({ model }, k) => [model, bins.answers[k][t]]).filter(([, n]) => n > 0);
      const total = answers.reduce((sum, [, n]) => sum + n, 0);
      return { at, total, text: answers.map(([model, n]) => `${model} ${count(n)}`).join(", ") };
    })
    .reverse();
}

function draw({ bins, models, starts_at: from, bin_s: binS, now }, width) {
  const box = { left: 56, right: width - 10, top: 8, bottom: 150 };
  const svg = canvas(width, box.bottom + 40);
  const x = linear([from, now], [box.left, box.right]);
  const y = linear([0, 1], [box.bottom, box.top]);
  svg.append(...rows(box, y, [0, 0.5, 1], percent), ...timeAxis(box, [from, now]));
  bins.at.forEach((at, t) => {
    const total = models.reduce((sum, _, k) => sum + bins.answers[k][t], 0);
    const left = Math.max(x(at), box.left);
    const wide = Math.max(Math.min(x(at + binS), box.right) - left - 0.5, 1.5);
    let below = 0;
    models.forEach(({ model }, k) => {
      const share = bins.answers[k][t] / total;
      if (!share) return;
      const high = y(below) - y(below + share);
      svg.append(s("rect", { x: left, y: y(below + share), width: wide, height: high, class: `area-of m${shade(k, models.length)}` }, s("title", null, `${model} ${percent(share)}`)));
      below += share;
    });
  });
  if (bins.at.length === 0) svg.append(label((box.left + box.right) / 2, (box.top + box.bottom) / 2, "No answers in this time", "middle"));
  return svg;
}
