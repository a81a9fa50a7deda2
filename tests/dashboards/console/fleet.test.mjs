// What is known of the fleet after events: repeats and late ones change nothing, and nothing grows without bound.

import assert from "node:assert/strict";
import { test } from "node:test";

import { folded, loaded, NOTHING, openShortages, shortagesAt } from "../../../dashboards/console/model/fleet.mjs";

const T0 = 1_800_000_000_000;
const iso = (milliseconds) => new Date(milliseconds).toISOString();

function state(tick, said = {}) {
  return {
    tick: iso(tick),
    power: { it_measured: 1e6, it_modelled: 0, it_carried: 0, facility: 1.1e6, supply: 2e6, headroom: 0.9e6 },
    in_service: 8,
    allocated: 6,
    free: 2,
    utilization: 0.5,
    open_shortages: 0,
    intake: { observed: 0 },
    ...said,
  };
}

const site = (name, tick, said) => state(tick, { site: name, ...said });
const noHistory = {
  tick: [],
  facility_watts: [],
  supply_watts: [],
  in_service: [],
  allocated: [],
  free: [],
  utilization: [],
  open_shortages: [],
};

function shortage(id, sequence, said = {}) {
  return {
    id,
    sequence,
    status: "open",
    severity: "warning",
    since: iso(T0),
    at: iso(T0),
    resolved_at: null,
    scope: { kind: "project", name: "p" },
    binding: { sites: [] },
    also: [],
    ...said,
  };
}

function known({ sites = [], open = [], resolved = [], ahead = 0 } = {}) {
  return loaded(
    { fleet: state(T0, { intake: { observed: 100 } }), history: noHistory, readings_per_second: 7 },
    { sites: sites.map((one) => ({ state: one, history: noHistory })) },
    { now: iso(T0 + ahead), open, resolved },
    T0,
  );
}

test("how far the worker's clock is ahead of ours is known", () => {
  assert.equal(known({ ahead: 2500 }).ahead, 2500);
  assert.equal(known({ ahead: -900 }).ahead, -900);
});

test("a newer state of the fleet replaces the old one, adds to the history and gives the rate", () => {
  const next = folded(known(), "fleet", state(T0 + 2000, { intake: { observed: 4100 } }));
  assert.equal(next.tick, T0 + 2000);
  assert.equal(next.rate, 2000);
  assert.deepEqual(next.history.tick, [T0 + 2000]);
});

test("a state of the fleet that repeats or comes late changes nothing", () => {
  const before = known();
  assert.equal(folded(before, "fleet", state(T0)), before);
  assert.equal(folded(before, "fleet", state(T0 - 1000)), before);
});

test("a history goes back a quarter of an hour and no further", () => {
  let now = known();
  for (let second = 1; second <= 1000; second += 1) now = folded(now, "fleet", state(T0 + second * 1000));
  assert.equal(now.history.tick.length, 900);
  assert.equal(now.history.tick[0], T0 + 101_000);
  assert.ok(Object.values(now.history).every((column) => column.length === 900));
});

test("where the overhead is not known the history holds what the machines draw", () => {
  const power = { it_measured: 1, it_modelled: 2, it_carried: 3, facility: null, supply: null, headroom: null };
  const next = folded(known(), "fleet", state(T0 + 1000, { power }));
  assert.equal(next.history.facility_watts.at(-1), 6);
  assert.equal(next.history.supply_watts.at(-1), null);
});

test("a tile's history has a point each ten seconds, its state the newest", () => {
  let now = known({ sites: [site("a", T0)] });
  for (let second = 1; second <= 30; second += 1) now = folded(now, "sites", [site("a", T0 + second * 1000)]);
  const { state: newest, history } = now.sites.get("a");
  assert.equal(newest.tick, iso(T0 + 30_000));
  assert.deepEqual(history.tick, [T0 + 1000, T0 + 11_000, T0 + 21_000]);
});

test("a site that is new gets its place by name, and what was known before is not changed", () => {
  const before = known({ sites: [site("a", T0), site("c", T0)] });
  const next = folded(before, "sites", [site("b", T0 + 1000), site("c", T0 + 1000)]);
  assert.deepEqual([...next.sites.keys()], ["a", "b", "c"]);
  assert.equal(next.sites.get("c").state.tick, iso(T0 + 1000));
  assert.equal(before.sites.get("c").state.tick, iso(T0));
  assert.equal(before.sites.size, 2);
});

test("a site's state that comes late changes nothing", () => {
  const next = folded(known({ sites: [site("a", T0)] }), "sites", [site("a", T0 - 1000)]);
  assert.equal(next.sites.get("a").state.tick, iso(T0));
});

test("a shortage opens, is updated and resolves", () => {
  let now = folded(known(), "shortage", shortage("s", 0));
  now = folded(now, "shortage", shortage("s", 1, { severity: "critical" }));
  assert.deepEqual(
    openShortages(now).map((one) => one.severity),
    ["critical"],
  );
  now = folded(now, "shortage", shortage("s", 2, { status: "resolved", resolved_at: iso(T0 + 5000) }));
  assert.deepEqual(openShortages(now), []);
  assert.deepEqual(
    now.resolved.map((one) => one.sequence),
    [2],
  );
});

test("an event of a shortage that repeats or comes late changes nothing, even after its end", () => {
  const open = known({ open: [shortage("s", 3)] });
  assert.equal(folded(open, "shortage", shortage("s", 3)), open);
  assert.equal(folded(open, "shortage", shortage("s", 2, { status: "resolved" })), open);
  const over = known({ resolved: [shortage("s", 4, { status: "resolved", resolved_at: iso(T0) })] });
  assert.equal(folded(over, "shortage", shortage("s", 3)), over);
});

test("what resolved more than an hour ago is forgotten", () => {
  const ended = (id, at) => shortage(id, 1, { status: "resolved", resolved_at: iso(at) });
  const before = known({ resolved: [ended("new", T0 - 1_000_000), ended("old", T0 - 3_599_500)] });
  const next = folded(before, "fleet", state(T0 + 1000));
  assert.deepEqual(
    next.resolved.map((one) => one.id),
    ["new"],
  );
});

test("the worst shortage stands first, then the oldest", () => {
  const open = [
    shortage("info", 0, { severity: "info" }),
    shortage("late", 0, { severity: "critical", since: iso(T0 + 1) }),
    shortage("early", 0, { severity: "critical" }),
    shortage("warning", 0),
  ];
  assert.deepEqual(
    openShortages(known({ open })).map((one) => one.id),
    ["early", "late", "warning", "info"],
  );
});

test("a site has its own shortages and those that it binds", () => {
  const open = [
    shortage("own", 0, { scope: { kind: "site", name: "a" } }),
    shortage("other", 0, { scope: { kind: "site", name: "b" }, binding: { sites: ["b"] } }),
    shortage("bound", 0, { binding: { sites: ["a", "b"] } }),
    shortage("also", 0, { also: [{ sites: ["a"] }] }),
    shortage("elsewhere", 0, { scope: { kind: "project", name: "a" } }),
  ];
  assert.deepEqual(
    shortagesAt(known({ open }), "a")
      .map((one) => one.id)
      .sort(),
    ["also", "bound", "own"],
  );
});

test("an event of a kind that we do not know changes nothing", () => {
  assert.equal(folded(NOTHING, "weather", {}), NOTHING);
});

test("before anything is read, events of the fleet are taken all the same", () => {
  const next = folded(NOTHING, "fleet", state(T0));
  assert.equal(next.tick, T0);
  assert.equal(NOTHING.history.tick.length, 0);
});
