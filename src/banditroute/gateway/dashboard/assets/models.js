// Who answers, how well, and who can be called.

import { lanes } from "./budgets.js";
import { byId } from "./dom.js";
import { laneChart } from "./lane_chart.js";
import { shareChart } from "./share_chart.js";
import { table } from "./table.js";
import { ABSENT, count, interval, money, percent, quality, seconds, stretch } from "./words.js";

export function models() {
  const listing = table({
    name: "models-table",
    caption: "Share, quality and means over the time chosen; the quality is of judged answers, with its 95% interval.",
    columns: [
      { label: "Model", of: (m) => ({ text: m.model, detail: m.provider ?? "no longer there" }) },
      { label: "Share", number: true, shaded: true, of: (m) => ({ text: percent(m.share), share: m.share ?? 0 }) },
      { label: "Quality", number: true, of: (m) => ({ text: quality(m.quality), detail: m.judged ? `${interval(m.low, m.high)}, ${count(m.judged)} judged` : "nobody judged" }) },
      { label: "Dollars an answer", number: true, of: (m) => money(m.usd_per_answer) },
      { label: "Seconds", number: true, of: (m) => seconds(m.seconds) },
      { label: "Answers", number: true, of: (m) => ({ text: count(m.answers), detail: m.failed ? `${count(m.failed)} calls failed` : "" }) },
      { label: "Circuit", of: (m) => ({ text: m.state ?? ABSENT, detail: m.refusal || (m.routed === false ? "only by name" : "") }) },
      { label: "Calls answered", number: true, of: (m) => percent(m.availability) },
      { label: "Price per million", number: true, of: (m) => ({ text: m.state ? `${money(m.input_usd_per_mtok)} in` : ABSENT, detail: m.state ? `${money(m.output_usd_per_mtok)} out` : "" }) },
    ],
    keyOf: ({ model }) => model,
  });
  const shares = shareChart();
  const judged = laneChart({
    title: "How well",
    caption: "Mean of judged answers, by when they were asked for, with 95% intervals.",
    describe: ({ points }) => `${points.length} bins; the newest ${quality(points.at(-1)?.value)}.`,
    numbers: { table: lanes("quality-numbers", "Mean quality of judged answers by bin.", "Quality", quality, { label: "95% interval", number: true, of: ({ low, high }) => interval(low, high) }), of: ({ points }) => points.toReversed() },
  });
  byId("models").append(listing.node, shares.node, judged.node);

  return {
    update({ models: known, span, now }) {
      if (!known || !span || !now) return;
      const lines = new Map(known.map((each) => [each.model, each]));
      listing.update(span.models.map((sums) => ({ ...lines.get(sums.model), ...sums })));
      shares.update({ ...span, now: now.at }, { caption: `Each model's share of the answers of every ${stretch(span.bin_s)}.` });
      const { at, quality: mean, low, high } = span.bins;
      const points = at.map((when, t) => ({ at: when, value: mean[t], low: low[t], high: high[t] })).filter(({ value }) => value !== null);
      judged.update({ span: [span.starts_at, now.at], binS: span.bin_s, points, text: (value) => quality(value, 2) });
    },
  };
}
