// The last quarter of an hour, as columns of one length, oldest first.

export const KEPT_MILLISECONDS = 15 * 60 * 1000;
const COLUMNS = ["facility_watts", "supply_watts", "in_service", "allocated", "free", "utilization", "open_shortages"];

/** A history as the API gives it, its ticks as milliseconds. */
export function historyOf(answered) {
  const history = { tick: answered.tick.map((one) => Date.parse(one)) };
  for (const name of COLUMNS) history[name] = [...answered[name]];
  return history;
}

/** IT watts, however they are known. */
export function itWatts(power) {
  return power.it_measured + power.it_modelled + power.it_carried;
}

/** What a site or the fleet draws: with its overhead where the facts are known. */
export function drawn(power) {
  return power.facility ?? itWatts(power);
}

/** The history with a state's tick at its end, if that is at least `apart` milliseconds after the last one. */
export function extended(history, state, apart = 1) {
  const tick = Date.parse(state.tick);
  const last = history.tick.at(-1);
  if (last !== undefined && tick < last + apart) return history;
  let from = 0;
  while (from < history.tick.length && history.tick[from] <= tick - KEPT_MILLISECONDS) from += 1;
  const now = {
    facility_watts: drawn(state.power),
    supply_watts: state.power.supply,
    in_service: state.in_service,
    allocated: state.allocated,
    free: state.free,
    utilization: state.utilization,
    open_shortages: state.open_shortages,
  };
  const longer = { tick: [...history.tick.slice(from), tick] };
  for (const name of COLUMNS) longer[name] = [...history[name].slice(from), now[name]];
  return longer;
}

const WORTH_READING_MILLISECONDS = 15_000;

/** What we have kept of a history, or a newly read one where that goes on much further: we were away. */
export function fuller(kept, read) {
  const end = (history) => history.tick.at(-1) ?? 0;
  return kept && end(read) < end(kept) + WORTH_READING_MILLISECONDS ? kept : read;
}

const LEAST_SPAN_MILLISECONDS = 2 * 60 * 1000;

/** From when until when a drawing reaches: as far back as is known, but neither a moment nor for ever. */
export function span(history) {
  const until = history.tick.at(-1) ?? 0;
  const first = history.tick[0] ?? until;
  const reach = Math.min(Math.max(until - first, LEAST_SPAN_MILLISECONDS), KEPT_MILLISECONDS);
  return { from: until - reach, until };
}
