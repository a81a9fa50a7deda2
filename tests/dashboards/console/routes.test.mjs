// Reload and links keep the place, whatever sites and nodes are called.

import assert from "node:assert/strict";
import { test } from "node:test";

import { above, fleet, link, node, place, sameScreen, site } from "../../../dashboards/console/model/routes.mjs";

const NAMES = [
  "memphis",
  "a/b",
  "50%",
  "a b",
  "?x=1",
  "#",
  "'\"",
  "<img src=x onerror=alert(1)>",
  "北京-1",
  "..",
  "%2F",
  "nodes",
  "+",
];

for (const name of NAMES) {
  test(`a link to the site ${name} leads there`, () => {
    const to = site(name, { order: "power", only: "idle", offset: 100 });
    assert.deepEqual(place(link(to)), to);
  });
  test(`a link to the node ${name} at the site ${name} leads there`, () => {
    assert.deepEqual(place(link(node(name, name))), node(name, name));
  });
  test(`a search for ${name} is kept`, () => {
    const to = fleet({ find: name, order: "free" });
    assert.deepEqual(place(link(to)), to);
  });
}

test("what is as usual is not in the address", () => {
  assert.equal(link(fleet()), "#/");
  assert.equal(link(site("memphis")), "#/sites/memphis");
});

for (const hash of [
  "",
  "#",
  "#/",
  "#nowhere",
  "#/sites",
  "#/sites/",
  "#/sites/%",
  "#/sites/a/nodes",
  "#/sites/a/nodes/b/c",
]) {
  test(`${hash || "no hash"} is the fleet`, () => assert.deepEqual(place(hash), fleet()));
}

for (const asked of ["offset=-1", "offset=1e9", "offset=x", "order=secret", "only=..."]) {
  test(`${asked} is passed over`, () => assert.deepEqual(place(`#/sites/a?${asked}`), site("a")));
}

test("up leads from a node to its site, from there to the fleet, and no further", () => {
  assert.deepEqual(above(node("a", "b")), site("a"));
  assert.deepEqual(above(site("a")), fleet());
  assert.equal(above(fleet()), null);
});

test("another order is the same screen, another site is not", () => {
  assert.ok(sameScreen(site("a"), site("a", { order: "power" })));
  assert.ok(!sameScreen(site("a"), site("b")));
  assert.ok(!sameScreen(site("a"), node("a", "b")));
  assert.ok(!sameScreen(null, fleet()));
});
