// A small drawing of a quarter of an hour: power from zero upwards, with the supply as a dashed line.

import { path } from "../model/drawing.mjs";
import { megawatts } from "../model/format.mjs";
import { span } from "../model/history.mjs";
import { drawing, mark } from "./element.mjs";

const WIDTH = 240;
const HEIGHT = 40;

export function sparkline() {
  const area = drawing("path", { class: "area" });
  const line = drawing("path", { class: "trace" });
  const supply = drawing("path", { class: "supply" });
  const whole = drawing(
    "svg",
    { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    area,
    line,
    supply,
  );
  let shown = null;
  return {
    element: whole,
    update(history) {
      if (history === shown || history.tick.length === 0) return;
      shown = history;
      const known = [...history.facility_watts, ...history.supply_watts].filter((one) => one !== null);
      const { from, until } = span(history);
      const frame = { from, until, most: Math.max(...known, 1) * 1.06, width: WIDTH, height: HEIGHT };
      const trace = path(history.tick, history.facility_watts, frame);
      mark(line, "d", trace);
      mark(supply, "d", path(history.tick, history.supply_watts, { ...frame, stepped: true }));
      const unbroken = trace && !trace.slice(1).includes("M");
      const [first, last] = [history.tick[0], history.tick.at(-1)].map((at) => ((at - from) / (until - from)) * WIDTH);
      mark(area, "d", unbroken ? `${trace}L${last.toFixed(1)} ${HEIGHT}L${first.toFixed(1)} ${HEIGHT}Z` : "");
      const watts = history.facility_watts.filter((one) => one !== null);
      const [least, most] = [Math.min(...watts), Math.max(...watts)].map(megawatts);
      const told = `power of the last quarter of an hour: ${least} to ${most} MW`;
      mark(whole, "aria-label", watts.length ? told : "power not known");
    },
  };
}
