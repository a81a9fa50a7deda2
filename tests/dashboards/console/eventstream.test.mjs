// Server-sent events, however the network cuts them up.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventStream } from "../../../dashboards/console/model/eventstream.mjs";

const parsed = (...pieces) => {
  const stream = eventStream();
  return pieces.flatMap((piece) => stream.feed(piece));
};

for (const [rule, text, events] of [
  ["an event has a name and data", "event: fleet\ndata: {}\n\n", [{ name: "fleet", data: "{}" }]],
  ["an event without a name is a message", "data: x\n\n", [{ name: "message", data: "x" }]],
  ["lines of data are joined", "data: a\ndata: b\n\n", [{ name: "message", data: "a\nb" }]],
  ["comments and ids are passed over", ": here\nid: 7\nretry: 5\ndata: x\n\n", [{ name: "message", data: "x" }]],
  ["an event without data is none", "event: fleet\n\ndata: x\n\n", [{ name: "message", data: "x" }]],
  [
    "one space after the colon is not data",
    "data:  x\n\ndata:y\n\n",
    [
      { name: "message", data: " x" },
      { name: "message", data: "y" },
    ],
  ],
  ["a field without a colon has no value", "data\n\n", [{ name: "message", data: "" }]],
  ["lines may end as on Windows", "event: a\r\ndata: x\r\n\r\n", [{ name: "a", data: "x" }]],
  [
    "lines may end as on old Macs",
    "data: x\r\rdata: y\r\r\n",
    [
      { name: "message", data: "x" },
      { name: "message", data: "y" },
    ],
  ],
  ["a byte order mark is passed over", "\ufeffdata: x\n\n", [{ name: "message", data: "x" }]],
  ["what is not complete is not given", "data: x\n\ndata: y\n", [{ name: "message", data: "x" }]],
]) {
  test(rule, () => assert.deepEqual(parsed(text), events));
  test(`${rule}, in single characters too`, () => assert.deepEqual(parsed(...text), events));
}

test("wherever a stream is cut in two, the same events come out", () => {
  const text = ": hello\r\n\r\nid: 1\nevent: sites\ndata: [1,\ndata: 2]\n\nevent: fleet\r\ndata: {}\r\n\r\n";
  const whole = parsed(text);
  assert.equal(whole.length, 2);
  for (let at = 0; at <= text.length; at += 1) {
    assert.deepEqual(parsed(text.slice(0, at), text.slice(at)), whole, `cut at ${at}`);
  }
});
