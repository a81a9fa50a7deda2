// Tables whose rows are kept up to date: a head, and a cell for each column of each row.

import { element, listed, mark, say } from "./element.mjs";

/**
 * A table. Each column has `label`, `text(item)`, and may have `kind` (the class of its cells), `title` (of its head),
 * `mark(item)` (the cell's `data-state`) or `make()`, which gives a part `{ element, update(item) }` for its cells.
 */
export function table(caption, columns, key) {
  const body = element("tbody");
  const heads = columns.map((column) =>
    element("th", { scope: "col", class: column.kind, title: column.title }, column.label),
  );
  const show = listed(body, { key, make: () => row(columns) });
  return {
    element: element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      element(
        "table",
        {},
        element("caption", { class: "unseen" }, caption),
        element("thead", {}, element("tr", {}, ...heads)),
        body,
      ),
    ),
    heads,
    update: show,
  };
}

function row(columns) {
  const cells = columns.map((column, index) => {
    const part = column.make?.();
    const attributes = index === 0 ? { scope: "row", class: column.kind } : { class: column.kind };
    const cell = element(index === 0 ? "th" : "td", attributes, part ? part.element : null);
    return {
      cell,
      update(item) {
        if (part) part.update(item);
        else say(cell, column.text(item));
        if (column.mark) mark(cell, "data-state", column.mark(item));
      },
    };
  });
  return {
    element: element("tr", {}, ...cells.map((one) => one.cell)),
    update: (item) => cells.forEach((one) => one.update(item)),
  };
}
