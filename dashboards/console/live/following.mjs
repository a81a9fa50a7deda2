// Keeps what is known of the fleet up to date: reads it whole, then takes event after event, and begins anew when the
// connection is gone. Events that come while the whole is read are taken afterwards, so that none falls between.

import { eventStream } from "../model/eventstream.mjs";
import { folded, loaded, NOTHING } from "../model/fleet.mjs";
import { delayBefore } from "../model/retry.mjs";
import { asked, opened, Refused, Unanswered } from "./api.mjs";

const SILENCE_MILLISECONDS = 40_000; // the server says something each 15 s, if only a heartbeat

/**
 * Follow for as long as the page lives.
 *
 * `changed(known)` is called with everything that is known whenever it changes, `phase(name)` with `connecting`,
 * `live`, `reconnecting` or `refused`, and `newToken()` gives a promise of a token when the API wants one.
 */
export async function follow({ changed, phase, newToken }) {
  let known = NOTHING;
  let attempt = 0;
  const keep = (next) => {
    if (next === known) return;
    known = next;
    changed(known);
  };
  phase("connecting");
  for (;;) {
    try {
      await once(
        keep,
        () => known,
        () => {
          attempt = 0;
          phase("live");
        },
      );
    } catch (error) {
      if (error instanceof Refused) {
        phase("refused");
        await newToken();
        phase("connecting");
        continue;
      }
      if (!(error instanceof Unanswered)) console.error(error); // ours to fix; the page goes on all the same
    }
    phase("reconnecting");
    await pause(delayBefore(attempt, Math.random));
    attempt += 1;
  }
}

async function once(keep, known, isLive) {
  const ending = new AbortController();
  const { signal } = ending;
  let early = [];
  const take = (event) => {
    if (early) early.push(event);
    else keep(folded(known(), event.name, JSON.parse(event.data)));
  };
  try {
    const stream = await opened("api/events", { signal, accept: "text/event-stream" });
    await Promise.all([
      events(stream.body.getReader(), take, ending),
      whole(signal).then((next) => {
        const since = early;
        early = null;
        keep(next);
        since.forEach(take);
        isLive();
      }),
    ]);
  } finally {
    ending.abort();
  }
}

async function whole(signal) {
  const paths = ["api/fleet", "api/sites", "api/shortages"];
  const [fleet, sites, shortages] = await Promise.all(paths.map((path) => asked(path, { signal })));
  return loaded(fleet, sites, shortages, Date.now());
}

async function events(reader, take, ending) {
  const parser = eventStream();
  const decoder = new TextDecoder();
  let silence;
  try {
    for (;;) {
      clearTimeout(silence);
      silence = setTimeout(() => ending.abort(), SILENCE_MILLISECONDS);
      const { done, value } = await read(reader);
      if (done) throw new Unanswered("the stream of events has ended");
      parser.feed(decoder.decode(value, { stream: true })).forEach(take);
    }
  } finally {
    clearTimeout(silence);
  }
}

async function read(reader) {
  try {
    return await reader.read();
  } catch (error) {
    throw new Unanswered(error.message);
  }
}

/** Wait, but no longer than until somebody looks again or the network is back. */
function pause(milliseconds) {
  return new Promise((resolve) => {
    const waking = new AbortController();
    const wake = () => {
      waking.abort();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    addEventListener("online", wake, { signal: waking.signal });
    document.addEventListener("visibilitychange", () => document.hidden || wake(), { signal: waking.signal });
  });
}
