// A table whose rows keep their elements while numbers change, so that neither focus nor selection is lost.

import { h, put, say } from "./dom.js";

/**
 * A table. Each column: `label`, `of(row)` for what its cells show (a text, or `{ text, detail, node, share }`), and
 * `number` or `wide` (left out on phones). `keyOf` tells rows apart; `empty` is said where there are none. A table that
 * is `held` scrolls by itself, and stays as it is while somebody points at it or has the focus in it, so that no row runs away from a click.
 */
export function table({ name, caption, columns, keyOf, empty, held }) {
  const body = h("tbody");
  const heads = columns.map((column) => h("th", { scope: "col", class: classes(column) }, column.label));
  const region = h(
    "div",
    { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": `${name}-caption` },
    h("table", { "aria-labelledby": `${name}-caption` }, h("thead", null, h("tr", null, heads)), body),
  );
  const nothing = h("p", { class: "nothing" }, empty ?? "Nothing yet.");
  const node = h("div", { class: held ? "tabled long" : "tabled" }, h("p", { class: "caption", id: `${name}-caption` }, caption), region, nothing);
  const rows = new Map();

  function update(values) {
    if (held && rows.size > 0 && (region.matches(":hover") || region.contains(document.activeElement))) return;
    region.hidden = values.length === 0;
    nothing.hidden = values.length > 0;
    const keys = new Set(values.map(keyOf));
    for (const [key, row] of rows) {
      if (!keys.has(key)) {
        row.remove();
        rows.delete(key);
      }
    }
    let place = body.firstElementChild;
    for (const value of values) {
      const key = keyOf(value);
      const row = rows.get(key) ?? made(key);
      columns.forEach((column, n) => fill(row.children[n], column.of(value)));
      if (row === place) place = place.nextElementSibling;
      else body.insertBefore(row, place);
    }
  }

  function made(key) {
    const cells = columns.map((column, n) =>
      h(n === 0 ? "th" : "td", { scope: n === 0 ? "row" : null, class: classes(column) }),
    );
    const row = h("tr", null, cells);
    rows.set(key, row);
    return row;
  }

  return { node, update };
}

function classes(column) {
  return [column.number ? "number" : "", column.wide ? "wide-only" : "", column.shaded ? "shade" : ""].join(" ").trim() || null;
}

function fill(cell, content) {
  const { text, detail, node, share } = typeof content === "object" ? content : { text: content };
  if (share !== undefined) cell.style.setProperty("--share", String(share ?? 0));
  const said = `${text ?? ""}\n${detail ?? ""}`;
  if (node) {
    if (cell.dataset.said !== said) put(cell, node());
  } else if (detail === undefined) {
    say(cell, text);
  } else if (cell.dataset.said !== said) {
    put(cell, text, h("small", null, detail));
  }
  cell.dataset.said = said;
}
