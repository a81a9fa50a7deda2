// Where in the page one is, and the link that leads there: all of it stands in the address after the `#`.

export const NODES_ON_A_PAGE = 50;
export const TILE_ORDERS = ["name", "shortages", "headroom", "free", "silent"];
export const NODE_ORDERS = ["name", "power", "utilization", "temperature"];
export const NODE_FILTERS = ["all", "not_reporting", "not_in_service", "idle"];

const oneOf = (known, value) => (known.includes(value) ? value : known[0]);

function offsetOf(value) {
  return /^\d{1,9}$/.test(value ?? "") ? Number(value) : 0;
}

/** The place that a hash names; one that names none is the fleet. */
export function place(hash) {
  const [path, query = ""] = splitOnce(hash.replace(/^#/, ""), "?");
  const asked = new URLSearchParams(query);
  let parts;
  try {
    parts = path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return fleet(); // a broken escape
  }
  if (parts[0] === "sites" && parts[1] && parts.length === 2) {
    return site(parts[1], { order: asked.get("order"), only: asked.get("only"), offset: asked.get("offset") });
  }
  if (parts[0] === "sites" && parts[1] && parts[2] === "nodes" && parts[3] && parts.length === 4) {
    return node(parts[1], parts[3]);
  }
  return fleet({ find: asked.get("find"), order: asked.get("order") });
}

export function fleet({ find = "", order = "" } = {}) {
  return { view: "fleet", find: find ?? "", order: oneOf(TILE_ORDERS, order) };
}

export function site(name, { order = "", only = "", offset = 0 } = {}) {
  return {
    view: "site",
    site: name,
    order: oneOf(NODE_ORDERS, order),
    only: oneOf(NODE_FILTERS, only),
    offset: offsetOf(String(offset ?? "")),
  };
}

export function node(siteName, name) {
  return { view: "node", site: siteName, node: name };
}

/** The hash of a place; what is as usual is left out. */
export function link(at) {
  if (at.view === "node") return `#/sites/${encodeURIComponent(at.site)}/nodes/${encodeURIComponent(at.node)}`;
  const asked = new URLSearchParams();
  if (at.view === "site") {
    if (at.order !== NODE_ORDERS[0]) asked.set("order", at.order);
    if (at.only !== NODE_FILTERS[0]) asked.set("only", at.only);
    if (at.offset) asked.set("offset", String(at.offset));
    return withQuery(`#/sites/${encodeURIComponent(at.site)}`, asked);
  }
  if (at.find) asked.set("find", at.find);
  if (at.order !== TILE_ORDERS[0]) asked.set("order", at.order);
  return withQuery("#/", asked);
}

/** One step up: from a node to its site, from a site to the fleet; none from there. */
export function above(at) {
  if (at.view === "node") return site(at.site);
  return at.view === "site" ? fleet() : null;
}

/** Whether two places are the same screen, however it is filtered. */
export function sameScreen(one, other) {
  return Boolean(one && other) && one.view === other.view && one.site === other.site && one.node === other.node;
}

function withQuery(path, asked) {
  const query = asked.toString();
  return query ? `${path}?${query}` : path;
}

function splitOnce(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + mark.length)];
}
