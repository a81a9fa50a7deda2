// One node, and each of its accelerators.

import { asked, Missing } from "../live/api.mjs";
import { asking } from "../live/asking.mjs";
import { age, celsius, count, duration, energy, gibibytes, instant, percent, power } from "../model/format.mjs";
import { printable } from "../model/names.mjs";
import { accelerators, seen, UNSEEN } from "../model/node.mjs";
import { fleet, link, site as siteAt } from "../model/routes.mjs";
import { fractionCell, heat, temperatureCell, wordCell } from "./cells.mjs";
import { nodeCharts } from "./charts.mjs";
import { crumbs } from "./crumbs.mjs";
import { element, mark, named, say } from "./element.mjs";
import { hottest, madeOf } from "./nodes.mjs";
import { table } from "./tables.mjs";
import { trouble } from "./trouble.mjs";

const HEARING = { reporting: "good", stale: "warn", lost: "bad" };
const STATES = { in_service: "good", draining: "warn", maintenance: "warn", failed: "bad" };

function fact(label, title) {
  const value = element("dd");
  return {
    element: element("div", { class: "figure", title }, element("dt", {}, label), value),
    update(text, state = null) {
      say(value, text);
      mark(value, "data-state", state);
    },
  };
}

function factsPanel() {
  const facts = {
    power: fact("Power"),
    utilization: fact("Utilisation"),
    allocated: fact("Allocated", "Accelerators bound to work, of those in service"),
    memory: fact("Memory used"),
    temperature: fact("Hottest"),
    energy: fact("Energy", "Since its first reading"),
    idle: fact("Idle for", "How long its allocated accelerators have done nothing"),
    heard: fact("Last word", "How long ago it measured what stands here"),
  };
  return {
    element: element("dl", { class: "figures facts" }, ...Object.values(facts).map((one) => one.element)),
    update(node, now) {
      const unmeasured = node.power_source === "measured" ? "" : ` (${node.power_source.replaceAll("_", " ")})`;
      facts.power.update(power(node.power_watts) + (node.power_watts === null ? "" : unmeasured));
      facts.utilization.update(percent(node.utilization));
      facts.allocated.update(`${count(node.allocated)} of ${count(node.in_service)}`);
      facts.memory.update(gibibytes(node.memory_used_bytes));
      facts.temperature.update(celsius(hottest(node)), heat(hottest(node)));
      facts.energy.update(energy(node.energy_joules));
      const idle = node.idle_since === null ? null : (now - Date.parse(node.idle_since)) / 1000;
      facts.idle.update(idle === null ? "not idle" : duration(idle), idle === null ? null : "warn");
      facts.heard.update(`${age((now - Date.parse(node.heard_at)) / 1000)} ago`);
      mark(facts.heard.element, "title", instant(Date.parse(node.heard_at)));
    },
  };
}

function acceleratorsPanel() {
  const rows = table(
    "Accelerators",
    [
      { label: "Accelerator", kind: "number", text: (one) => String(one.number) },
      { label: "Utilisation", kind: "number", make: fractionCell((one) => one.utilization) },
      { label: "Power", kind: "number", text: (one) => power(one.power) },
      { label: "Memory used", kind: "number", text: (one) => gibibytes(one.memory) },
      { label: "Temperature", kind: "number", make: temperatureCell((one) => one.temperature) },
    ],
    (one) => one.number,
  );
  const none = element("p", { class: "none" }, "This node does not tell its accelerators apart.");
  return {
    element: element("section", { class: "panel" }, element("h2", {}, "Accelerators"), rows.element, none),
    update(node) {
      const each = accelerators(node);
      none.hidden = each.length > 0;
      rows.element.hidden = each.length === 0;
      rows.update(each);
    },
  };
}

export function nodeScreen(at) {
  const [site, name] = [printable(at.site), printable(at.node)];
  const hearing = wordCell((node) => node.hearing, HEARING)();
  const state = wordCell((node) => node.state, STATES)();
  const what = element("span");
  const facts = factsPanel();
  const each = acceleratorsPanel();
  const curves = nodeCharts();
  const inside = element("div", { class: "each" }, each.element, curves.element);
  let history = UNSEEN;
  const failing = trouble();
  const about = element("p", { class: "about" }, hearing.element, state.element, what);
  const whole = element(
    "div",
    { class: "screen node" },
    crumbs(
      [
        { href: link(fleet()), name: "Fleet" },
        { href: link(siteAt(at.site)), name: named(site) },
      ],
      named(name),
    ),
    element("div", { class: "title" }, element("h1", { tabindex: "-1" }, named(name)), about),
    failing.element,
    facts.element,
    inside,
  );
  for (const part of [about, facts.element, inside]) part.hidden = true;

  const questions = asking(
    (signal) => asked(`api/nodes/${encodeURIComponent(at.node)}?${new URLSearchParams({ site: at.site })}`, { signal }),
    {
      shown({ now, nodes: [node] }) {
        if (!node) throw new Missing();
        failing.passed();
        for (const part of [about, facts.element, inside]) part.hidden = false;
        hearing.update(node);
        state.update(node);
        const rack = node.rack === null ? "" : `, rack ${printable(node.rack)}`;
        say(what, `${madeOf(node)} at ${site}${rack}`);
        facts.update(node, Date.parse(now));
        each.update(node);
        history = seen(history, node);
        curves.update(history);
      },
      failed: (error) => failing.failed(error, `There is no node ${name} at ${site}.`),
    },
  );

  return {
    element: whole,
    title: () => `${name} at ${site}`,
    again: () => questions.again(),
    go() {},
    update() {},
    leave() {
      questions.stop();
      curves.leave();
    },
    comeFrom: () => whole.querySelector("h1"),
  };
}
