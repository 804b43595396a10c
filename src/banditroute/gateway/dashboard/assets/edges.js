// The cost-quality map, of one task class or of all.

import { byId, h, put } from "./dom.js";
import { edgeMap } from "./edge_map.js";

export function edges() {
  const select = h("select", { id: "edge-task", change: () => show() });
  const map = edgeMap();
  byId("edges").append(h("p", { class: "choice" }, h("label", { for: "edge-task" }, "Task class"), " ", select), map.node);
  let last = null;

  function offer(tasks) {
    const wanted = ["", ...tasks];
    if ([...select.options].map(({ value }) => value).join("\n") === wanted.join("\n")) return;
    const chosen = select.value;
    put(select, wanted.map((task) => h("option", { value: task, selected: task === chosen }, task || "all")));
  }

  function show() {
    if (!last) return;
    const task = select.value;
    const shown = last.edges.filter((edge) => !task || edge.task === task);
    map.update(
      { edges: shown, models: last.models, task },
      { caption: `Up and to the left is better. An ellipse spans the 95% intervals of both; the larger a mark, the larger its share of its class${task ? "" : ". Classes are named at the model that gives half of their answers or more"}.` },
    );
  }

  return {
    update({ edges: found, models, span }) {
      if (!found || !models || !span) return;
      last = { edges: withShares(found, span.edges), models: models.map(({ model }) => model) };
      offer([...new Set(found.map(({ task }) => task))]);
      show();
    },
  };
}

function withShares(found, counts) {
  const totals = new Map();
  for (const [task, , n] of counts) totals.set(task, (totals.get(task) ?? 0) + n);
  const shares = new Map(counts.map(([task, model, n]) => [`${task}\n${model}`, n / totals.get(task)]));
  return found.map((edge) => ({ ...edge, share: shares.get(`${edge.task}\n${edge.model}`) ?? (totals.has(edge.task) ? 0 : null) }));
}
