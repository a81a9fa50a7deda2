// The racks of a site as small squares: the busier the brighter, and marked where nodes do not report.

import { count, counted, percent, power } from "../model/format.mjs";
import { printable } from "../model/names.mjs";
import { shownRacks } from "../model/racks.mjs";
import { element, listed, mark, say } from "./element.mjs";

const STEPS = 5;

function square() {
  const text = element("span", { class: "unseen" });
  const cell = element("li", { class: "rack" }, text);
  return {
    element: cell,
    update(rack) {
      const name = rack.rack === null ? "no rack named" : printable(rack.rack);
      const silent = rack.not_reporting ? `, ${count(rack.not_reporting)} not reporting` : "";
      const draws = `${power(rack.power_watts)}, ${percent(rack.utilization)} utilised`;
      const told = `${name}: ${counted(rack.nodes, "node")}${silent}, ${draws}`;
      const busy = rack.utilization === null ? "unknown" : String(Math.min(STEPS, Math.ceil(rack.utilization * STEPS)));
      mark(cell, "data-busy", busy);
      mark(cell, "data-silent", rack.not_reporting === 0 ? null : rack.not_reporting < rack.nodes ? "some" : "all");
      mark(cell, "title", told);
      say(text, told);
    },
  };
}

export function racksPanel() {
  const number = element("span", { class: "number" });
  const grid = element("ul", { class: "racks" });
  const more = element("p", { class: "none" });
  const show = listed(grid, { key: (one) => String(one.rack === null) + (one.rack ?? ""), make: square });
  const key = element(
    "p",
    { class: "key-line", "aria-hidden": "true" },
    "idle",
    ...[0, 1, 2, 3, 4, 5].map((step) => element("span", { class: "rack", "data-busy": String(step) })),
    "busy",
    element("span", { class: "rack", "data-busy": "2", "data-silent": "some" }),
    "some silent",
    element("span", { class: "rack", "data-busy": "unknown", "data-silent": "all" }),
    "all silent",
  );
  return {
    element: element(
      "section",
      { class: "panel" },
      element("div", { class: "title" }, element("h2", {}, "Racks ", number), key),
      grid,
      more,
    ),
    update(racks) {
      const shown = shownRacks(racks);
      say(number, count(racks.length));
      more.hidden = shown.length === racks.length;
      say(
        more,
        more.hidden
          ? ""
          : `and ${counted(racks.length - shown.length, "rack")} more; shown are those with most silent nodes`,
      );
      show(shown);
    },
  };
}
