// Tells those who listen rather than look what has changed: shortages that open and pass, and the connection.

import { missing, who } from "../model/wording.mjs";
import { element, say } from "./element.mjs";

const PHASES = { reconnecting: "The connection is gone; reconnecting.", live: "Connected." };

export function announcer() {
  const place = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
  let lost = false;
  return {
    element: place,
    phase(name) {
      if (name === "reconnecting" && lost) return; // once is enough
      if (PHASES[name]) say(place, PHASES[name]);
      lost = name === "reconnecting";
    },
    compare(before, now, known) {
      if (!known) return;
      const ids = (some) => new Set(some.map((one) => one.id));
      const [was, is] = [ids(before), ids(now)];
      const told = [
        ...now.filter((one) => !was.has(one.id)).map((one) => `Short: ${who(one.scope)}, ${missing(one).join(" ")}.`),
        ...before.filter((one) => !is.has(one.id)).map((one) => `No longer short: ${who(one.scope)}.`),
      ];
      if (told.length) say(place, told.join(" "));
    },
  };
}
