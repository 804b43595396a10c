// What bends decisions: guards, newcomers, promises, classes whose best model is known.

import { byId, h } from "./dom.js";
import { table } from "./table.js";
import { ABSENT, count, isKnown, percent, quality, seconds } from "./words.js";

export function rules() {
  const listings = [
    ["guards", table({
      name: "guards-table",
      caption: "Guards that are on.",
      columns: [
        { label: "Guard", of: ({ guard }) => guard },
        { label: "Promise", of: ({ promise }) => promise },
        { label: "Decisions", number: true, of: (g) => count(g.decisions) },
        { label: "Bent", number: true, of: (g) => count(g.bent) },
      ],
      keyOf: ({ guard }) => guard,
    })],
    ["newcomers", table({
      name: "newcomers-table",
      caption: "Newcomers, beside the best other model.",
      columns: [
        { label: "Model", of: ({ model }) => model },
        { label: "Stage", of: ({ stage }) => stage },
        { label: "At most", number: true, of: ({ most }) => percent(most) },
        { label: "Requests", number: true, of: ({ requests }) => count(requests) },
        { label: "Judged", number: true, of: ({ judged }) => count(judged) },
        { label: "Gain", number: true, of: (n) => ({ text: isKnown(n.gain) ? `${n.gain > 0 ? "+" : ""}${quality(n.gain)}` : ABSENT, detail: isKnown(n.radius) ? `± ${quality(n.radius)}` : "nothing is judged" }) },
      ],
      keyOf: ({ model }) => model,
    })],
    ["promises", table({
      name: "promises-table",
      caption: "Promises of latency.",
      columns: [
        { label: "Promise", of: (p) => ({ text: p.name, detail: p.task || "all classes" }) },
        { label: "Within", number: true, of: (p) => (isKnown(p.latency_s) ? seconds(p.latency_s) : { text: seconds(p.ttft_s), detail: "to the first token" }) },
        { label: "May be late", number: true, of: ({ epsilon }) => percent(epsilon) },
        { label: "Were late", number: true, of: (p) => ({ text: percent(p.late_rate), detail: `lately ${percent(p.late_rate_lately)}` }) },
        { label: "Requests", number: true, of: ({ requests }) => count(requests) },
        { label: "Shadow price", number: true, of: (p) => quality(p.shadow_price) },
      ],
      keyOf: ({ name }) => name,
    })],
    ["best", table({
      name: "best-table",
      caption: "Task classes whose best model is known: nothing else is tried there.",
      columns: [{ label: "Task class", of: ({ task }) => task }, { label: "Model", of: ({ model }) => model }],
      keyOf: ({ task }) => task,
    })],
  ];
  const none = h("p", { class: "nothing" }, "No guard, newcomer or promise bends decisions.");
  byId("rules").append(none, ...listings.map(([, { node }]) => node));

  return {
    update({ steering }) {
      if (!steering) return;
      none.hidden = listings.some(([name]) => steering[name].length > 0);
      for (const [name, listing] of listings) {
        listing.node.hidden = steering[name].length === 0;
        listing.update(steering[name]);
      }
    },
  };
}
