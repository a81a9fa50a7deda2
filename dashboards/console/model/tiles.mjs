// Which sites are shown, and in what order.

import { link, site } from "./routes.mjs";

const AFTER_ALL = Number.POSITIVE_INFINITY;

/** Nodes of a site that do not report, those that were never seen included. */
export function silentNodes(state) {
  return state.nodes.stale + state.nodes.lost + state.nodes.never_seen;
}

/** All nodes of a site that are known or expected. */
export function allNodes(state) {
  return state.nodes.reporting + silentNodes(state);
}

const RANKS = {
  name: () => 0,
  shortages: (state) => -state.open_shortages,
  headroom: (state) => state.power.headroom ?? AFTER_ALL,
  free: (state) => -state.free,
  silent: (state) => -silentNodes(state),
};

/** The sites whose name holds what is looked for, most pressing first by the order asked for, then by name. */
export function shownTiles(sites, { find, order }) {
  const wanted = find.trim().toLowerCase();
  const rank = RANKS[order];
  return [...sites.values()]
    .filter((tile) => tile.state.site.toLowerCase().includes(wanted))
    .sort((one, other) => compared(rank(one.state), rank(other.state)) || byName(one.state.site, other.state.site));
}

/** Numbers in a name count as numbers: `hall 9` stands before `hall 10`. */
const names = new Intl.Collator("en", { numeric: true });
const byName = (one, other) => names.compare(one, other) || (one < other ? -1 : 1);
const compared = (one, other) => (one === other ? 0 : one < other ? -1 : 1);

export function siteLink(name) {
  return link(site(name));
}
