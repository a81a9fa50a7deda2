// How far what is shown can be relied on.

const DOUBTFUL_SECONDS = 5;
const OLD_SECONDS = 30;

/** Seconds since a tick by the worker's clock; `ahead` is by how many milliseconds that is ahead of ours. */
export function secondsSince(tick, now, ahead) {
  return tick === null ? null : Math.max(0, (now + ahead - tick) / 1000);
}

/** `waiting` before the first state, then `fresh`, `doubtful` or `old`. */
export function freshness(seconds) {
  if (seconds === null) return "waiting";
  if (seconds > OLD_SECONDS) return "old";
  return seconds > DOUBTFUL_SECONDS ? "doubtful" : "fresh";
}
