// What is known of the fleet: read whole once, then kept up by events. Events that repeat or come late change nothing.

import { extended, historyOf } from "./history.mjs";

const TILE_STEP_MILLISECONDS = 10_000;
const RESOLVED_KEPT_MILLISECONDS = 60 * 60 * 1000;

/** Before anything has been read. */
export const NOTHING = Object.freeze({
  loaded: false,
  ahead: 0,
  tick: null,
  fleet: null,
  history: historyOf({
    tick: [],
    facility_watts: [],
    supply_watts: [],
    in_service: [],
    allocated: [],
    free: [],
    utilization: [],
    open_shortages: [],
  }),
  rate: null,
  sites: new Map(),
  open: new Map(),
  resolved: [],
});

/** All of it from the answers of `/api/fleet`, `/api/sites` and `/api/shortages`; `now` is by our own clock. */
export function loaded(fleetView, sitesView, shortagesView, now) {
  return {
    loaded: true,
    ahead: Date.parse(shortagesView.now) - now,
    tick: fleetView.fleet ? Date.parse(fleetView.fleet.tick) : null,
    fleet: fleetView.fleet,
    history: historyOf(fleetView.history),
    rate: fleetView.readings_per_second,
    sites: new Map(sitesView.sites.map((tile) => [tile.state.site, { ...tile, history: historyOf(tile.history) }])),
    open: new Map(shortagesView.open.map((shortage) => [shortage.id, shortage])),
    resolved: [...shortagesView.resolved],
  };
}

/** What is known with an event of `/api/events`; a kind that we do not know changes nothing. */
export function folded(known, name, body) {
  if (name === "fleet") return withFleet(known, body);
  if (name === "sites") return body.reduce(withSite, { ...known, sites: new Map(known.sites) });
  if (name === "shortage") return withShortage(known, body);
  return known;
}

function withFleet(known, state) {
  const tick = Date.parse(state.tick);
  if (known.tick !== null && tick <= known.tick) return known;
  const seconds = known.tick === null ? 0 : (tick - known.tick) / 1000;
  const rate = seconds ? (state.intake.observed - known.fleet.intake.observed) / seconds : known.rate;
  const resolved = known.resolved.filter((one) => endOf(one) > tick - RESOLVED_KEPT_MILLISECONDS);
  return { ...known, tick, rate, resolved, fleet: state, history: extended(known.history, state) };
}

function withSite(known, state) {
  const tile = known.sites.get(state.site);
  if (!tile) {
    const history = extended(NOTHING.history, state);
    const named = [...known.sites, [state.site, { state, history }]];
    return { ...known, sites: new Map(named.sort(([one], [other]) => (one < other ? -1 : 1))) };
  }
  if (Date.parse(state.tick) > Date.parse(tile.state.tick)) {
    known.sites.set(state.site, { state, history: extended(tile.history, state, TILE_STEP_MILLISECONDS) });
  }
  return known;
}

function withShortage(known, shortage) {
  const newest = known.open.get(shortage.id) ?? known.resolved.find((one) => one.id === shortage.id);
  if (newest && newest.sequence >= shortage.sequence) return known;
  const open = new Map(known.open);
  if (shortage.status === "open") {
    open.set(shortage.id, shortage);
    return { ...known, open };
  }
  open.delete(shortage.id);
  return { ...known, open, resolved: [shortage, ...known.resolved] };
}

function endOf(shortage) {
  return Date.parse(shortage.resolved_at ?? shortage.at);
}

const WORST_FIRST = ["critical", "warning", "info"];

/** What is open, the worst first, then the oldest. */
export function openShortages(known) {
  const rank = (one) => WORST_FIRST.indexOf(one.severity);
  return [...known.open.values()].sort(
    (one, other) => rank(one) - rank(other) || Date.parse(one.since) - Date.parse(other.since),
  );
}

/** The open shortages that concern a site: its own, and those that it binds. */
export function shortagesAt(known, site) {
  return openShortages(known).filter((one) =>
    one.scope.kind === "site"
      ? one.scope.name === site
      : [one.binding, ...one.also].some((binding) => binding.sites.includes(site)),
  );
}
