// Sites as tiles: power against supply, what is free, who is silent, and the last quarter of an hour.

import { count, counted, megawatts, percent, signedMegawatts } from "../model/format.mjs";
import { tightness } from "../model/drawing.mjs";
import { drawn } from "../model/history.mjs";
import { printable } from "../model/names.mjs";
import { allNodes, silentNodes, siteLink } from "../model/tiles.mjs";
import { element, listed, mark, named, say } from "./element.mjs";
import { powerMeter } from "./figures.mjs";
import { sparkline } from "./sparkline.mjs";

const PRESENCE = { present: "", away: "away", never_seen: "never seen" };

/** What stands out at a site, the worst first. */
export function troubles(state) {
  const silent = silentNodes(state);
  return [
    state.presence === "present" ? null : { name: "presence", kind: "bad", text: PRESENCE[state.presence] },
    state.open_shortages ? { name: "shortages", kind: "bad", text: counted(state.open_shortages, "shortage") } : null,
    silent
      ? { name: "silent", kind: "warn", text: `${count(silent)} of ${counted(allNodes(state), "node")} silent` }
      : null,
    state.nodes.failed ? { name: "failed", kind: "warn", text: `${count(state.nodes.failed)} failed` } : null,
  ].filter(Boolean);
}

export function badges() {
  const place = element("ul", { class: "badges" });
  const show = listed(place, {
    key: (one) => one.name,
    make: () => {
      const badge = element("li");
      return {
        element: badge,
        update({ text, kind }) {
          mark(badge, "data-kind", kind);
          say(badge, text);
        },
      };
    },
  });
  return { element: place, update: show };
}

function tile({ state: { site } }) {
  const meter = powerMeter();
  const spark = sparkline();
  const marks = badges();
  const watts = element("span", { class: "value" });
  const supply = element("span", { class: "unit" });
  const left = element("span", { class: "left" });
  const free = element("dd");
  const inService = element("dd");
  const used = element("dd");
  const link = element("a", { href: siteLink(site), class: "name" }, named(printable(site)));
  const whole = element(
    "li",
    { class: "tile" },
    element("div", { class: "head" }, element("h3", {}, link), marks.element),
    element("p", { class: "amount" }, watts, supply, left),
    meter.element,
    spark.element,
    element(
      "dl",
      {},
      element("div", {}, element("dt", {}, "free"), free),
      element("div", {}, element("dt", {}, "in service"), inService),
      element("div", {}, element("dt", {}, "utilisation"), used),
    ),
  );
  whole.dataset.site = site;
  return {
    element: whole,
    link,
    update({ state, history }) {
      const { power } = state;
      mark(whole, "data-presence", state.presence);
      marks.update(troubles(state));
      meter.update(power);
      spark.update(history);
      const known = power.facility !== null && power.supply !== null;
      say(watts, megawatts(drawn(power)));
      say(supply, known ? `of ${megawatts(power.supply)} MW` : "MW of IT load; supply not known");
      say(left, known ? `${signedMegawatts(power.headroom)} MW` : "");
      mark(left, "title", known ? "headroom" : null);
      mark(left, "data-tightness", tightness(power));
      say(free, count(state.free));
      say(inService, count(state.in_service));
      say(used, percent(state.utilization));
    },
  };
}

export function tilesPart() {
  const tiles = element("ul", { class: "tiles" });
  const show = listed(tiles, { key: (one) => one.state.site, make: tile });
  let parts = new Map();
  return {
    element: tiles,
    update(shown) {
      parts = show(shown);
    },
    linkOf: (site) => parts.get(site)?.link,
  };
}
