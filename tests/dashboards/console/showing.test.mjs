// Ages, order, words and drawings.

import assert from "node:assert/strict";
import { test } from "node:test";

import { freshness, secondsSince } from "../../../dashboards/console/model/age.mjs";
import { path, powerBar, tightness } from "../../../dashboards/console/model/drawing.mjs";
import { fuller, span } from "../../../dashboards/console/model/history.mjs";
import { accelerators, seen, UNSEEN } from "../../../dashboards/console/model/node.mjs";
import { shownRacks } from "../../../dashboards/console/model/racks.mjs";
import { delayBefore } from "../../../dashboards/console/model/retry.mjs";
import { shownTiles } from "../../../dashboards/console/model/tiles.mjs";
import { missing, oneMore, resource, whatBinds, who } from "../../../dashboards/console/model/wording.mjs";

const plain = (text) => text.replaceAll("\u00a0", " ");

for (const [seconds, expected] of [
  [null, "waiting"],
  [0, "fresh"],
  [5, "fresh"],
  [5.1, "doubtful"],
  [30, "doubtful"],
  [30.1, "old"],
]) {
  test(`data of ${seconds} s is ${expected}`, () => assert.equal(freshness(seconds), expected));
}

test("an age is taken by the worker's clock, and is never negative", () => {
  assert.equal(secondsSince(10_000, 12_000, 500), 2.5);
  assert.equal(secondsSince(10_000, 9_000, 0), 0);
  assert.equal(secondsSince(null, 9_000, 0), null);
});

test("attempts are further and further apart, within bounds, and never all at once", () => {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const [least, most] = [delayBefore(attempt, () => 0), delayBefore(attempt, () => 0.999)];
    assert.ok(least >= 250 && most <= 10_000 && most > least * 1.9);
    assert.ok(least >= delayBefore(Math.max(attempt - 1, 0), () => 0));
  }
});

function tile(site, said = {}) {
  const nodes = { reporting: 1, stale: 0, lost: 0, never_seen: 0, ...said.nodes };
  return { state: { site, open_shortages: 0, free: 0, power: { headroom: 0 }, ...said, nodes } };
}

const tiles = (...some) => new Map(some.map((one) => [one.state.site, one]));
const shown = (sites, asked) => shownTiles(sites, { find: "", order: "name", ...asked }).map((one) => one.state.site);

test("numbers in names count as numbers", () => {
  assert.deepEqual(shown(tiles(tile("hall 10"), tile("hall 9"), tile("Hall 1"))), ["Hall 1", "hall 9", "hall 10"]);
});

test("what is looked for may stand anywhere in a name, in any case", () => {
  assert.deepEqual(shown(tiles(tile("North-1"), tile("south"), tile("far north")), { find: " NORTH " }), [
    "far north",
    "North-1",
  ]);
  assert.deepEqual(shown(tiles(tile("a.c"), tile("abc")), { find: "a.c" }), ["a.c"]);
});

test("the most pressing sites stand first, equals by name, and unknown headroom last", () => {
  const sites = tiles(
    tile("a", { power: { headroom: null }, free: 1 }),
    tile("b", { power: { headroom: 5 }, open_shortages: 2 }),
    tile("c", { power: { headroom: -5 }, nodes: { lost: 2 } }),
    tile("d", { power: { headroom: 5 }, nodes: { never_seen: 3 } }),
  );
  assert.deepEqual(shown(sites, { order: "headroom" }), ["c", "b", "d", "a"]);
  assert.deepEqual(shown(sites, { order: "shortages" }), ["b", "a", "c", "d"]);
  assert.deepEqual(shown(sites, { order: "free" }), ["a", "b", "c", "d"]);
  assert.deepEqual(shown(sites, { order: "silent" }), ["d", "c", "a", "b"]);
});

test("the supply stands inside the bar whether it is kept or not", () => {
  for (const [watts, supply, over] of [
    [9e6, 12e6, false],
    [13e6, 12e6, true],
    [99e6, 12e6, true],
    [0, 0, false],
    [5, 0, true],
  ]) {
    const bar = powerBar(watts, supply);
    assert.equal(bar.over, over);
    assert.ok(bar.filled >= 0 && bar.filled <= 1 && bar.supply >= 0 && bar.supply <= 1);
    if (over) assert.ok(bar.filled > bar.supply);
  }
  assert.equal(powerBar(null, 5).supply, null);
  assert.equal(powerBar(5, null).supply, null);
});

for (const [headroom, expected] of [
  [null, "unknown"],
  [-1, "short"],
  [0, "tight"],
  [4, "tight"],
  [5, "fine"],
]) {
  test(`a headroom of ${headroom} of 100 is ${expected}`, () =>
    assert.equal(tightness({ headroom, supply: 100 }), expected));
}

test("a line has a gap where nothing is known", () => {
  const frame = { from: 0, until: 40, most: 10, width: 40, height: 10 };
  assert.equal(path([0, 10, 20, 30, 40], [10, 5, null, 0, 10], frame), "M0.0 0.0L10.0 5.0M30.0 10.0L40.0 0.0");
  assert.equal(path([0, 10, 20], [10, 5, 0], { ...frame, stepped: true }), "M0.0 0.0H10.0V5.0H20.0V10.0");
});

test("a drawing reaches back as far as is known, but neither a moment nor for ever", () => {
  assert.deepEqual(span({ tick: [] }), { from: -120_000, until: 0 });
  assert.deepEqual(span({ tick: [999_000, 1_000_000] }), { from: 880_000, until: 1_000_000 });
  assert.deepEqual(span({ tick: [500_000, 1_000_000] }), { from: 500_000, until: 1_000_000 });
  assert.deepEqual(span({ tick: [0, 1_000_000] }), { from: 100_000, until: 1_000_000 });
});

test("a history that was kept up is kept, one that stood still for long is read anew", () => {
  const [kept, newer, muchNewer] = [10_000, 24_999, 25_000].map((last) => ({ tick: [0, last] }));
  assert.equal(fuller(kept, newer), kept);
  assert.equal(fuller(kept, muchNewer), muchNewer);
  assert.equal(fuller(null, newer), newer);
});

test("racks stand by name, those of nodes that name none last; too many are cut to the worst", () => {
  const rack = (name, silent = 0) => ({ rack: name, not_reporting: silent });
  const names = (racks) => shownRacks(racks).map((one) => one.rack);
  assert.deepEqual(names([rack(null), rack("r10"), rack("r9")]), ["r9", "r10", null]);
  const many = Array.from({ length: 2000 }, (_, number) => rack(`r${number}`, number === 1999 ? 4 : 0));
  assert.equal(names(many).length, 800);
  assert.equal(names(many).at(-1), "r1999");
});

test("each accelerator of a node has what is said of it", () => {
  assert.deepEqual(accelerators({ accelerators: null }), []);
  const said = { utilization: [0.5, null], power_watts: null, memory_used_bytes: [1], temperature_celsius: [70, 71] };
  assert.deepEqual(accelerators({ accelerators: said }), [
    { number: 0, utilization: 0.5, power: null, memory: 1, temperature: 70 },
    { number: 1, utilization: null, power: null, memory: null, temperature: 71 },
  ]);
});

test("what is seen of a node grows with each new word, and only then", () => {
  const at = (milliseconds, watts) => ({
    heard_at: new Date(milliseconds).toISOString(),
    power_watts: watts,
    utilization: null,
  });
  let known = seen(UNSEEN, at(1000, 5));
  assert.equal(seen(known, at(1000, 6)), known);
  known = seen(known, at(2000, 7));
  assert.deepEqual(known.power_watts, [5, 7]);
  assert.deepEqual(seen(known, at(2000 + 900_000, 8)).power_watts, [8]);
});

test("who is short is named, and the fleet needs no name", () => {
  assert.equal(who({ kind: "fleet", name: "fleet" }), "fleet");
  assert.equal(who({ kind: "project", name: "a\u202eb" }), "project a\\u202eb");
});

for (const [kind, expected] of [
  ["accelerators", ["408", "accelerators"]],
  ["power", ["1.50", "MW"]],
  ["visibility", ["408", "unknown"]],
  ["unplaced", ["408", "not granted"]],
]) {
  test(`what is missing of ${kind} is in its measure`, () => {
    assert.deepEqual(missing({ resource: { kind }, missing: { accelerators: 408, watts: 1.5e6 } }), expected);
  });
}

test("of what there is too little is named while it is short to say", () => {
  assert.equal(
    resource({ resource: { kind: "accelerators", types: ["h100-sxm", "h200-sxm"] } }),
    "h100-sxm or h200-sxm",
  );
  assert.equal(resource({ resource: { kind: "accelerators", types: ["a", "b", "c", "d"] } }), "accelerators");
  assert.equal(resource({ resource: { kind: "power" } }), "power");
});

const binding = (summary, unit, serves) => ({ summary, one_more: unit && { unit, serves } });

test("what one more unit serves is told once", () => {
  const nodes = binding(
    "408 wait for more free h100-sxm together on one node at memphis; 1 more free whole node serves 8",
    "whole_node",
    8,
  );
  assert.equal(whatBinds(nodes), "408 wait for more free h100-sxm together on one node at memphis");
  assert.equal(plain(oneMore(nodes)), "+1 whole node serves 8");
  const watts = binding("96 wait for power to run free gb200 at lulea; 1 MW more at lulea serves 97", "megawatt", 97);
  assert.equal(whatBinds(watts), "96 wait for power to run free gb200 at lulea");
  assert.equal(plain(oneMore(watts)), "+1 MW serves 97");
});

test("a sentence is left whole where nothing stands beside it, or names could be cut", () => {
  const alone = "8 wait for accelerators; 1 more serves 1";
  assert.equal(whatBinds(binding(alone, null)), alone);
  const odd = "8 wait for accelerators at x; 1 more serves 3";
  assert.equal(whatBinds(binding(`${odd}; y`, "accelerator", 1)), `${odd}; y`);
  assert.equal(oneMore(binding(alone, null)), "");
});
