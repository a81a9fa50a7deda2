// How long to wait before the next attempt: longer each time, and never all viewers at once.

const FIRST_MILLISECONDS = 500;
const LONGEST_MILLISECONDS = 10_000;

/** Milliseconds before attempt 0, 1, 2, ... after a failure; `random` gives a number from 0 to below 1. */
export function delayBefore(attempt, random) {
  const most = Math.min(LONGEST_MILLISECONDS, FIRST_MILLISECONDS * 2 ** Math.min(attempt, 16));
  return most / 2 + (most / 2) * random();
}
