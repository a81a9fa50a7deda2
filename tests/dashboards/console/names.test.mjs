// Names are shown, never obeyed: the same marks are spelt out as in the terminal (`models/wording.py: printable`).

import assert from "node:assert/strict";
import { test } from "node:test";

import { printable } from "../../../dashboards/console/model/names.mjs";

for (const [name, shown] of [
  ["memphis", "memphis"],
  ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
  ["北京 🏭", "北京 🏭"],
  ["a b", "a b"],
  ["a\u00a0b", "a\\xa0b"],
  ["line\nend", "line\\nend"],
  ["\u202eevil", "\\u202eevil"],
  ["zero\u200bwidth", "zero\\u200bwidth"],
  ["\u2028", "\\u2028"],
  ["\u{e0041}", "\\U000e0041"],
]) {
  test(`${JSON.stringify(name)} is shown as ${JSON.stringify(shown)}`, () => assert.equal(printable(name), shown));
}
