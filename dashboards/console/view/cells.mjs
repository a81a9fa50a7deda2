// Parts of table cells that say more than a text.

import { celsius, percent } from "../model/format.mjs";
import { element, mark, say } from "./element.mjs";

/** A fraction as a bar with its number. */
export function fractionCell(of) {
  return () => {
    const fill = element("span", { class: "fill" });
    const text = element("span", { class: "number" });
    return {
      element: element(
        "span",
        { class: "fraction" },
        element("span", { class: "bar", "aria-hidden": "true" }, fill),
        text,
      ),
      update(item) {
        const value = of(item);
        fill.style.width = `${((value ?? 0) * 100).toFixed(1)}%`;
        say(text, percent(value));
      },
    };
  };
}

/** How hot is too hot for an accelerator; the limits at which public alert rules for GPUs warn. */
export function heat(degrees) {
  if (degrees === null || degrees < 80) return null;
  return degrees < 85 ? "warn" : "bad";
}

export function temperatureCell(of) {
  return () => {
    const text = element("span", { class: "temperature" });
    return {
      element: text,
      update(item) {
        mark(text, "data-state", heat(of(item)));
        say(text, celsius(of(item)));
      },
    };
  };
}

const HEARING = { reporting: null, stale: "warn", lost: "bad" };
const STATES = { in_service: null, draining: "warn", maintenance: "warn", failed: "bad" };

/** A word in the colour of how bad it is. */
export function wordCell(of, kinds) {
  return () => {
    const word = element("span", { class: "word" });
    return {
      element: word,
      update(item) {
        mark(word, "data-state", kinds[of(item)] ?? null);
        say(word, of(item).replaceAll("_", " "));
      },
    };
  };
}

export const hearingCell = () => wordCell((node) => node.hearing, HEARING)();
export const stateCell = () => wordCell((node) => node.state, STATES)();
