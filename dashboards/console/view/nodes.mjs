// The nodes of a site: a table to order, to filter and to turn the pages of.

import { age, count, counted, power } from "../model/format.mjs";
import { printable } from "../model/names.mjs";
import { link, node as nodeAt, NODES_ON_A_PAGE } from "../model/routes.mjs";
import { fractionCell, hearingCell, stateCell, temperatureCell } from "./cells.mjs";
import { choice } from "./choice.mjs";
import { element, mark, named, say } from "./element.mjs";
import { table } from "./tables.mjs";

const ORDERS = {
  name: "name",
  power: "most power",
  utilization: "least utilised",
  temperature: "hottest",
};
const FILTERS = {
  all: "all",
  not_reporting: "not reporting",
  not_in_service: "not in service",
  idle: "idle",
};
const SOURCES = { measured: "", modelled: "modelled from utilisation" };

function nameCell(site) {
  return () => {
    const name = named("");
    const to = element("a", {}, name);
    return {
      element: to,
      update({ node }) {
        mark(to, "href", link(nodeAt(site, node.node)));
        say(name, printable(node.node));
      },
    };
  };
}

function textCell(of) {
  return () => {
    const text = named("");
    return { element: text, update: ({ node }) => say(text, of(node)) };
  };
}

const ofNode = (make) => () => {
  const part = make();
  return { element: part.element, update: ({ node }) => part.update(node) };
};

function powerCell() {
  const text = element("span");
  return {
    element: text,
    update({ node }) {
      const source = SOURCES[node.power_source] ?? node.power_source;
      say(text, (source && node.power_watts !== null ? "≈ " : "") + power(node.power_watts));
      mark(text, "title", source || null);
    },
  };
}

/** The panel; `turn(change)` is called with another `order`, `only` or `offset`. */
export function nodesPanel(site, turn) {
  const number = element("span", { class: "number" });
  const rows = table(
    "Nodes",
    [
      { label: "Node", make: nameCell(site) },
      { label: "Rack", make: textCell((node) => (node.rack === null ? "" : printable(node.rack))) },
      { label: "Type", make: textCell((node) => printable(node.type)) },
      { label: "Heard", make: ofNode(hearingCell) },
      { label: "State", make: ofNode(stateCell) },
      {
        label: "Allocated",
        kind: "number",
        title: "Accelerators bound to work, of those in service",
        text: ({ node }) => `${count(node.allocated)} of ${count(node.in_service)}`,
      },
      { label: "Power", kind: "number", make: powerCell },
      { label: "Utilisation", kind: "number", make: ofNode(fractionCell((node) => node.utilization)) },
      { label: "Hottest", kind: "number", make: ofNode(temperatureCell(hottest)) },
      {
        label: "Last word",
        kind: "number",
        title: "How long ago the node measured what stands here",
        text: ({ node, now }) => age((now - Date.parse(node.heard_at)) / 1000),
      },
    ],
    ({ node }) => node.node,
  );
  const order = choice("node-order", "order by", ORDERS, (value) => turn({ order: value, offset: 0 }));
  const only = choice("node-filter", "show", FILTERS, (value) => turn({ only: value, offset: 0 }));
  const before = element("button", { type: "button", class: "quiet" }, "Previous");
  const after = element("button", { type: "button", class: "quiet" }, "Next");
  const where = element("span", { class: "where", role: "status" });
  const none = element("p", { class: "none" }, "No node is like that.");
  let offset = 0;
  before.addEventListener("click", () => turn({ offset: Math.max(0, offset - NODES_ON_A_PAGE) }));
  after.addEventListener("click", () => turn({ offset: offset + NODES_ON_A_PAGE }));
  const paging = element("div", { class: "paging" }, before, where, after);
  return {
    element: element(
      "section",
      { class: "panel nodes", "aria-labelledby": "nodes-title" },
      element(
        "div",
        { class: "title" },
        element("h2", { id: "nodes-title" }, "Nodes ", number),
        element("div", { class: "tools" }, only.element, order.element),
      ),
      rows.element,
      none,
      paging,
    ),
    chosen(at) {
      order.update(at.order);
      only.update(at.only);
    },
    update(page, now) {
      offset = page.offset;
      const last = page.offset + page.nodes.length;
      say(number, count(page.total));
      say(where, page.nodes.length ? `${count(page.offset + 1)} to ${count(last)} of ${count(page.total)}` : "");
      before.disabled = page.offset === 0;
      after.disabled = last >= page.total;
      paging.hidden = before.disabled && after.disabled;
      none.hidden = page.nodes.length > 0;
      rows.element.hidden = page.nodes.length === 0;
      rows.update(page.nodes.map((one) => ({ node: one, now })));
    },
  };
}

/** The hottest that is known of a node. */
export function hottest(node) {
  const each = (node.accelerators?.temperature_celsius ?? []).filter((one) => one !== null);
  if (each.length) return Math.max(...each);
  return node.temperature_celsius;
}

/** What a node has, in a line. */
export function madeOf(node) {
  return `${counted(node.installed, "accelerator")} of type ${printable(node.type)}`;
}
