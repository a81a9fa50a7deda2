// Shortages in words, as they stand in every alert; the longer sentences come with the event itself.

import { count, megawatts } from "./format.mjs";
import { printable } from "./names.mjs";

const SPACE = "\u00a0";
const UNITS = { accelerator: "accelerator", whole_node: "whole node", megawatt: "MW" };
const RESOURCES = { accelerators: "accelerators", power: "power", visibility: "visibility", unplaced: "not granted" };

/** Who is short: `fleet`, `site memphis`, `project atlas`. */
export function who(scope) {
  return scope.kind === scope.name ? scope.kind : `${scope.kind} ${printable(scope.name)}`;
}

/** Of what there is too little. */
export function resource(shortage) {
  const types = shortage.resource.types ?? [];
  const named = types.length && types.length <= 3 ? types.map(printable).join(" or ") : "";
  return named || RESOURCES[shortage.resource.kind];
}

/** How much is short, as number and unit, in the one measure that counts for its kind. */
export function missing(shortage) {
  if (shortage.resource.kind === "power") return [megawatts(shortage.missing.watts), "MW"];
  const unit = { visibility: "unknown", unplaced: "not granted" }[shortage.resource.kind];
  return [count(shortage.missing.accelerators), unit ?? "accelerators"];
}

/** What binds, in the event's own sentence; what one more unit serves is told beside it, and not twice. */
export function whatBinds(binding) {
  const sentence = binding.one_more ? binding.summary.replace(/; 1 (MW )?more[^;]* serves \d+$/, "") : binding.summary;
  return printable(sentence);
}

/** What one more unit of what binds would serve; empty where that is not known. */
export function oneMore(binding) {
  const more = binding.one_more;
  return more ? `+1${SPACE}${UNITS[more.unit]} serves ${count(more.serves)}` : "";
}
