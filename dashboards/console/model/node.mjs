// The accelerators of a node, one by one, and what it drew while it was looked at.

import { KEPT_MILLISECONDS } from "./history.mjs";

/** One object for each accelerator of which anything is said; what is not said is null. */
export function accelerators(node) {
  const said = node.accelerators;
  if (!said) return [];
  const measures = {
    utilization: said.utilization,
    power: said.power_watts,
    memory: said.memory_used_bytes,
    temperature: said.temperature_celsius,
  };
  const most = Math.max(...Object.values(measures).map((each) => each?.length ?? 0));
  return Array.from({ length: most }, (_, number) => ({
    number,
    ...Object.fromEntries(Object.entries(measures).map(([name, each]) => [name, each?.[number] ?? null])),
  }));
}

/** Nothing seen yet. */
export const UNSEEN = Object.freeze({ tick: [], power_watts: [], utilization: [] });

/** What was seen of a node, with its newest word at the end. */
export function seen(before, node) {
  const tick = Date.parse(node.heard_at);
  if (before.tick.length && tick <= before.tick.at(-1)) return before;
  const kept = before.tick.filter((one) => one > tick - KEPT_MILLISECONDS).length;
  const longer = (column, value) => [...before[column].slice(before.tick.length - kept), value];
  return {
    tick: longer("tick", tick),
    power_watts: longer("power_watts", node.power_watts),
    utilization: longer("utilization", node.utilization),
  };
}
