// What happened: the newest notices, and an announcement of those that are warnings.

import { byId } from "./dom.js";
import { table } from "./table.js";
import { ago, date } from "./words.js";

export function happened(announce) {
  const listing = table({
    name: "happened-table",
    caption: "Newest first; what happened many times in a row is counted.",
    columns: [
      { label: "When (UTC)", of: (n) => ({ text: date(n.at), detail: ago(n.at, n.now) }) },
      { label: "About", of: (n) => n.kind },
      { label: "What happened", of: (n) => ({ text: n.text, detail: n.times > 1 ? `${n.times} times` : "" }) },
    ],
    keyOf: ({ at, kind, text }) => `${at}\n${kind}\n${text}`,
    empty: "Nothing out of the ordinary.",
  });
  byId("happened").append(listing.node);
  let newest = null;

  return {
    update({ notices, now }) {
      if (!notices || !now) return;
      listing.update(notices.map((notice) => ({ ...notice, now: now.at })));
      const [first] = notices;
      if (newest !== null && first && first.at > newest && first.weight === "warning") announce(`${first.kind}: ${first.text}`);
      newest = first?.at ?? 0;
    },
  };
}
