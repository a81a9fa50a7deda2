// The charts of the fleet or of a site: power, accelerators, and how busy they are; and those of a node.

import { UNKNOWN, count, megawatts, percent, power } from "../model/format.mjs";
import { chart } from "./chart.mjs";
import { element } from "./element.mjs";

const inMegawatts = (watts) => (watts === null ? UNKNOWN : `${megawatts(watts)}\u00a0MW`);

export function charts() {
  const all = [
    chart({
      title: "Power against supply",
      unit: "MW",
      format: inMegawatts,
      scale: (watts) => watts / 1e6,
      strip: true,
      lines: [
        { label: "drawn", column: "facility_watts", colour: "power", filled: true },
        { label: "supply", column: "supply_watts", colour: "text", dashed: true, stepped: true },
      ],
    }),
    chart({
      title: "Accelerators",
      unit: "",
      format: count,
      strip: true,
      lines: [
        { label: "in service", column: "in_service", colour: "quiet" },
        { label: "allocated", column: "allocated", colour: "allocated", filled: true },
        { label: "free", column: "free", colour: "free" },
      ],
    }),
    chart({
      title: "Utilisation",
      unit: "%",
      format: percent,
      scale: (fraction) => fraction * 100,
      most: 100,
      strip: true,
      lines: [{ label: "mean of those in service", column: "utilization", colour: "power", filled: true }],
    }),
  ];
  return together("The last quarter of an hour", all);
}

/** What a node draws and does while it is looked at; nobody keeps that in the worker. */
export function nodeCharts() {
  return together("Since this page was opened", [
    chart({
      title: "Power since this page was opened",
      unit: "kW",
      format: power,
      scale: (watts) => watts / 1e3,
      lines: [{ label: "drawn", column: "power_watts", colour: "power", filled: true }],
    }),
    chart({
      title: "Utilisation since this page was opened",
      unit: "%",
      format: percent,
      scale: (fraction) => fraction * 100,
      most: 100,
      lines: [{ label: "mean of its accelerators", column: "utilization", colour: "power", filled: true }],
    }),
  ]);
}

function together(label, all) {
  return {
    element: element("section", { class: "charts", "aria-label": label }, ...all.map((one) => one.element)),
    update: (history) => all.forEach((one) => one.update(history)),
    leave: () => all.forEach((one) => one.leave()),
  };
}
