// Where one is, and the way up.

import { element } from "./element.mjs";

/** Links to what is above, then the name of what is shown. */
export function crumbs(links, title) {
  return element(
    "nav",
    { class: "crumbs", "aria-label": "Where you are" },
    element(
      "ol",
      {},
      ...links.map(({ href, name }) => element("li", {}, element("a", { href }, name))),
      element("li", { "aria-current": "page" }, title),
    ),
  );
}
