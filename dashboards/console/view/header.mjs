// The line on top of every screen: how old what is shown is, how much is short, light or dark.

import { freshness, secondsSince } from "../model/age.mjs";
import { openShortages } from "../model/fleet.mjs";
import { age, clock, count, counted } from "../model/format.mjs";
import { element, mark, say } from "./element.mjs";
import { themeButton } from "./theme.mjs";

function wordOf(phase, seconds) {
  if (phase === "refused") return "a token is needed";
  if (phase === "connecting") return "connecting";
  if (phase === "reconnecting") return seconds === null ? "reconnecting" : `reconnecting, ${age(seconds)} old`;
  return seconds === null ? "waiting for the first state" : `${age(seconds)} old`;
}

export function header() {
  const word = element("span");
  const dot = element("span", { class: "dot", "aria-hidden": "true" });
  const fresh = element("p", { class: "fresh", id: "freshness", title: "How old the newest state is" }, dot, word);
  const tick = element("p", { class: "aside" });
  const rate = element("p", { class: "aside wide" });
  const short = element("a", { class: "short", href: "#/" });
  const top = element(
    "header",
    { class: "top" },
    element("a", { class: "brand", href: "#/", title: "The whole fleet" }, "fleettwin"),
    fresh,
    tick,
    rate,
    element("span", { class: "room" }),
    short,
    themeButton(),
  );
  return {
    element: top,
    update(known, phase, now) {
      const seconds = secondsSince(known.tick, now, known.ahead);
      const state = freshness(seconds);
      const calm = phase === "live";
      mark(fresh, "data-freshness", calm || state === "old" ? state : state === "waiting" ? "waiting" : "doubtful");
      mark(fresh, "data-phase", phase);
      say(word, wordOf(phase, seconds));
      say(tick, known.tick === null ? "" : `${clock(known.tick)} UTC`);
      say(rate, known.rate === null ? "" : `${count(known.rate)} readings/s`);
      const open = openShortages(known);
      short.hidden = !known.loaded;
      mark(short, "data-worst", open[0]?.severity ?? null);
      say(short, open.length ? counted(open.length, "shortage") : "nothing is short");
    },
  };
}
