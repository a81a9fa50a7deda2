// Numbers, amounts and times as people read them.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../../dashboards/console/model/format.mjs";

const plain = (text) => text.replaceAll("\u00a0", " ").replaceAll("\u2212", "-");

function says(rule, format, table) {
  for (const [value, expected] of table) {
    test(`${rule}: ${value} is ${expected}`, () => assert.equal(plain(format(value)), expected));
  }
}

for (const name of [
  "count",
  "megawatts",
  "signedMegawatts",
  "power",
  "percent",
  "celsius",
  "gibibytes",
  "energy",
  "duration",
  "age",
  "clock",
  "instant",
]) {
  test(`what is not known is no number: ${name}`, () => {
    assert.equal(format[name](null), format.UNKNOWN);
    assert.equal(format[name](undefined), format.UNKNOWN);
  });
}

says("thousands are set apart", format.count, [
  [0, "0"],
  [999, "999"],
  [1234567, "1,234,567"],
  [-1200, "-1,200"],
]);
says("megawatts have as many decimals as tell something", format.megawatts, [
  [0, "0.00"],
  [9_123_456, "9.12"],
  [99_994_000, "99.99"],
  [99_996_000, "100.0"],
  [999_940_000, "999.9"],
  [999_960_000, "1,000"],
  [1_700_400_000, "1,700"],
  [-300_000, "-0.30"],
]);
says("headroom has its sign", format.signedMegawatts, [
  [3e6, "+3.00"],
  [-3e6, "-3.00"],
  [0, "0.00"],
  [1000, "0.00"],
  [2e9, "+2,000"],
]);
says("a node's watts are in the unit that suits them", format.power, [
  [0, "0 W"],
  [999.4, "999 W"],
  [6851.3, "6.85 kW"],
  [27_405, "27.41 kW"],
  [99_996, "100.0 kW"],
  [999_960, "1.00 MW"],
]);
says("a fraction is per cent", format.percent, [
  [0, "0%"],
  [0.584, "58%"],
  [1, "100%"],
]);
says("memory is in GiB", format.gibibytes, [
  [2 ** 30, "1.0 GiB"],
  [80 * 2 ** 30, "80.0 GiB"],
]);
says("joules are what is billed", format.energy, [
  [0, "0.0 kWh"],
  [3.6e6, "1.0 kWh"],
  [3.6e9, "1.0 MWh"],
  [3.6e12, "1.0 GWh"],
]);
says("what lasts is told in its two greatest units", format.duration, [
  [-1, "0 s"],
  [0, "0 s"],
  [59.9, "59 s"],
  [60, "1 min 0 s"],
  [3599, "59 min 59 s"],
  [3600, "1 h 0 min"],
  [86_399, "23 h 59 min"],
  [90_000, "1 d 1 h"],
]);
says("an age has tenths while they count", format.age, [
  [0, "0.0 s"],
  [-0.2, "0.0 s"],
  [4.96, "5.0 s"],
  [9.96, "9 s"],
  [75, "1 min 15 s"],
]);
says("times are UTC", format.clock, [
  [0, "00:00:00"],
  [1_800_000_000_000, "08:00:00"],
  [1_800_000_061_500, "08:01:01"],
]);
says("dates are UTC", format.instant, [[1_800_000_000_000, "2027-01-15 08:00:00 UTC"]]);

test("one is one, and more are many", () => {
  assert.equal(plain(format.counted(1, "node")), "1 node");
  assert.equal(plain(format.counted(0, "node")), "0 nodes");
  assert.equal(plain(format.counted(1500, "node")), "1,500 nodes");
});
