// The whole fleet: its figures, what is short, its sites, and what they are made of.

import { openShortages } from "../model/fleet.mjs";
import { count } from "../model/format.mjs";
import { fleet, link } from "../model/routes.mjs";
import { shownTiles } from "../model/tiles.mjs";
import { charts } from "./charts.mjs";
import { choice } from "./choice.mjs";
import { element, mark, say } from "./element.mjs";
import { figures } from "./figures.mjs";
import { poolsPanel, tenantsPanel } from "./pools.mjs";
import { shortagesPanel } from "./shortages.mjs";
import { tilesPart } from "./tiles.mjs";

const ORDERS = {
  name: "name",
  shortages: "most shortages",
  headroom: "least headroom",
  free: "most free",
  silent: "most silent nodes",
};
const MANY = 24;
/** Sites with which a list wants to be searched. */
const SOME = 7;

export function fleetScreen(at) {
  const band = figures({ ofFleet: true });
  const short = shortagesPanel({ past: true });
  const tiles = tilesPart();
  const curves = charts();
  const pools = poolsPanel();
  const tenants = tenantsPanel();
  const number = element("span", { class: "number" });
  const told = element("p", { class: "none", role: "status" });
  const find = element("input", {
    type: "search",
    id: "find",
    placeholder: "Find a site",
    "aria-label": "Find a site",
    "aria-keyshortcuts": "/",
    spellcheck: "false",
    on: { input: () => replace({ find: find.value }) },
  });
  const order = choice("order", "order by", ORDERS, (value) => replace({ order: value }));
  const tools = element("div", { class: "tools" }, find, order.element);
  const whole = element(
    "div",
    { class: "screen fleet" },
    element("h1", { class: "unseen" }, "The fleet"),
    band.element,
    short.element,
    element(
      "section",
      { class: "sites", "aria-labelledby": "sites-title" },
      element("div", { class: "title" }, element("h2", { id: "sites-title" }, "Sites ", number), tools),
      told,
      tiles.element,
    ),
    curves.element,
    element("div", { class: "side-by-side" }, pools.element, tenants.element),
  );
  let latest = null;

  /** Another order or search is not another screen: the address says it, and going back does not undo it by letters. */
  function replace(change) {
    at = fleet({ ...at, ...change });
    history.replaceState(null, "", link(at));
    if (latest) showSites(latest);
  }

  function showSites(known) {
    const shown = shownTiles(known.sites, at);
    if (document.activeElement !== find) find.value = at.find;
    order.update(at.order);
    tools.hidden = known.sites.size < SOME && !at.find;
    mark(tiles.element, "data-density", known.sites.size > MANY ? "many" : "some");
    say(number, known.loaded ? sitesCount(shown.length, known) : "");
    say(
      told,
      shown.length || !known.loaded ? "" : at.find ? "No site has that in its name." : "No site has been heard of yet.",
    );
    told.hidden = !told.textContent;
    tiles.update(shown);
  }

  return {
    element: whole,
    title: () => "",
    go(to) {
      at = to;
      if (latest) showSites(latest);
    },
    update(known, now) {
      latest = known;
      short.update(openShortages(known), known.resolved, now + known.ahead, known);
      showSites(known);
      for (const part of [band, curves, pools, tenants]) part.element.hidden = known.fleet === null;
      if (known.fleet === null) return;
      band.update(known.fleet);
      curves.update(known.history);
      pools.update(known.fleet.pools);
      tenants.update(known.fleet.tenants);
    },
    leave: () => curves.leave(),
    find: () => !tools.hidden && find.focus(),
    /** Where to go on after a site was looked at: at its tile. */
    comeFrom(place) {
      const back = place.site && tiles.linkOf(place.site);
      back?.scrollIntoView({ block: "center" });
      return back;
    },
  };
}

function sitesCount(shown, known) {
  const all = known.sites.size;
  const away = (known.fleet?.sites_away ?? 0) + (known.fleet?.sites_never_seen ?? 0);
  const some = shown === all ? count(all) : `${count(shown)} of ${count(all)}`;
  return away ? `${some}, ${count(away)} away or never seen` : some;
}
