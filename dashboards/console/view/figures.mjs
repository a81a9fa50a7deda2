// The figures of the fleet or of a site, in one band.

import { counted, count, energy, megawatts, percent, signedMegawatts } from "../model/format.mjs";
import { powerBar, tightness } from "../model/drawing.mjs";
import { drawn, itWatts } from "../model/history.mjs";
import { allNodes, silentNodes } from "../model/tiles.mjs";
import { element, mark, say } from "./element.mjs";

/** A bar as long as what is drawn, with a line where the supply ends. */
export function powerMeter() {
  const fill = element("span", { class: "fill" });
  const line = element("span", { class: "line" });
  const bar = element("span", { class: "meter", role: "img" }, fill, line);
  return {
    element: bar,
    update(power) {
      const { filled, supply, over } = powerBar(power.facility, power.supply);
      fill.style.width = `${(filled * 100).toFixed(2)}%`;
      line.hidden = supply === null;
      if (supply !== null) line.style.left = `${(supply * 100).toFixed(2)}%`;
      mark(bar, "data-tightness", tightness(power));
      mark(
        bar,
        "aria-label",
        supply === null
          ? "supply not known"
          : `${megawatts(power.facility)} MW of a supply of ${megawatts(power.supply)} MW${over ? ", too much" : ""}`,
      );
    },
  };
}

/** A bar of parts that make up a whole, each with its class. */
function shares(classes) {
  const parts = classes.map((name) => element("span", { class: name }));
  const bar = element("span", { class: "shares", "aria-hidden": "true" }, ...parts);
  return {
    element: bar,
    update(amounts) {
      const all = amounts.reduce((sum, one) => sum + one, 0) || 1;
      parts.forEach((part, index) => {
        part.style.width = `${((amounts[index] / all) * 100).toFixed(2)}%`;
      });
    },
  };
}

function figure(label, title, ...more) {
  const value = element("span", { class: "value" });
  const unit = element("span", { class: "unit" });
  const below = element("p", { class: "below" });
  const whole = element(
    "div",
    { class: "figure", title },
    element("h3", {}, label),
    element("p", { class: "amount" }, value, unit),
    ...more,
    below,
  );
  return {
    element: whole,
    update(amount, of, more = "") {
      say(value, amount);
      say(unit, of);
      say(below, more);
    },
  };
}

function powerFigure() {
  const meter = powerMeter();
  const left = element("span", { class: "left" });
  const whole = figure(
    "Power against supply",
    "What is drawn with all overhead, and what the supply is",
    meter.element,
  );
  whole.element.classList.add("power");
  whole.element.querySelector(".amount").append(left);
  return {
    element: whole.element,
    update({ power, energy_joules: joules }) {
      meter.update(power);
      const silent = power.it_carried ? `, ${megawatts(power.it_carried)} MW of it not heard lately` : "";
      const it = `IT load ${megawatts(itWatts(power))} MW${silent}; ${energy(joules)} so far`;
      if (power.facility === null || power.supply === null) {
        whole.update(megawatts(drawn(power)), "MW", `${it}; supply or overhead of a site not known`);
      } else {
        whole.update(megawatts(power.facility), `of ${megawatts(power.supply)} MW`, it);
      }
      say(left, power.headroom === null ? "" : `${signedMegawatts(power.headroom)} MW headroom`);
      mark(left, "data-tightness", tightness(power));
    },
  };
}

/** The band; with demand where it is of the fleet, with nodes and energy where it is of a site. */
export function figures({ ofFleet }) {
  const power = powerFigure();
  const inService = figure("In service", "Accelerators that could work");
  const parts = shares(["allocated", "free", "other"]);
  const allocated = figure("Allocated", "Accelerators bound to work", parts.element);
  const free = figure("Free", "In service, not bound to work, on nodes that report");
  const used = figure(
    "Utilisation",
    "Mean over those in service whose utilisation is known. Held idle: allocated, on nodes that have long done nothing",
  );
  const last = ofFleet
    ? figure("Waiting", "Accelerators that are asked for and not granted")
    : figure("Nodes reporting", "Nodes heard lately, of those known or expected");
  const band = element(
    "section",
    { class: "figures", "aria-label": ofFleet ? "The fleet" : "The site" },
    ...[power, inService, allocated, free, used, last].map((one) => one.element),
  );
  return {
    element: band,
    update(state) {
      power.update(state);
      const beyond = state.unknown ? `, ${count(state.unknown)} unknown` : "";
      inService.update(count(state.in_service), "", `of ${count(state.installed)} installed${beyond}`);
      parts.update([state.allocated, state.free, Math.max(0, state.in_service - state.allocated - state.free)]);
      const share = state.in_service ? percent(state.allocated / state.in_service) : "";
      allocated.update(count(state.allocated), "", share && `${share} of ${count(state.in_service)}`);
      free.update(count(state.free), "", `${count(state.h100e_free)} of ${count(state.h100e_in_service)} H100e`);
      const idle = state.pools.reduce((sum, pool) => sum + pool.held_idle, 0);
      used.update(percent(state.utilization), "", `${count(idle)} held idle`);
      if (ofFleet) {
        last.update(
          count(state.pending),
          "",
          `${count(state.servable)} could be had now; ${counted(state.demands, "demand")}`,
        );
        mark(last.element, "data-state", state.pending ? "waiting" : null);
      } else {
        const silent = silentNodes(state);
        last.update(count(state.nodes.reporting), `of ${count(allNodes(state))}`, silence(state.nodes));
        mark(last.element, "data-state", silent ? "waiting" : null);
      }
    },
  };
}

function silence(nodes) {
  const parts = [
    [nodes.stale, "stale"],
    [nodes.lost, "lost"],
    [nodes.never_seen, "never seen"],
  ];
  return (
    parts
      .filter(([number]) => number)
      .map(([number, word]) => `${count(number)} ${word}`)
      .join(", ") || "all that are expected"
  );
}
