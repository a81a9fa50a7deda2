"""Values that have broken readers of such things before."""

from __future__ import annotations

from models.cloudevents import ARROW, JSON, STRUCTURED, EventType
from tests.builders import SITE, T0

NAMES = (
    "",
    SITE,
    "fleet",
    "abilene",
    "a'b\"c`",
    "../../etc/passwd",
    "a/b\\c",
    "line\nend",
    "\x1b[31mred\x1b[0m",
    "[bold]markup[/bold]",
    "<script>alert(1)</script>",
    "x'; drop table nodes; --",
    "nul\0nul",
    "\u202egnp.exe",
    "\U0001f525" * 40,
    "e\u0301",
    "x" * 128,
    "x" * 129,
    "x" * 70_000,
)

NUMBERS = (
    0,
    -1,
    1,
    8,
    1023,
    1024,
    1025,
    32767,
    32768,
    65_536,
    2**31 - 1,
    2**31,
    2**53,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    9223372036854775794,
    T0,
    T0 + 60_001,
    253_402_214_400_001,
    10**17,
)

FLOATS = (
    0.0,
    -0.0,
    -43.0,
    0.5,
    1.0000001,
    100.0,
    12_751.0,
    1e9,
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    float("inf"),
    float("-inf"),
    9.223372036854776e18,
)

TOKENS = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-0",
    b"1" * 5000,
    b"0." + b"0" * 5000 + b"1",
    b'"\\ud800"',
    b'"\xff\xfe"',
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"[" * 2000 + b"]" * 2000,
    b'{"a":' * 2000 + b"1" + b"}" * 2000,
)
"""In place of a number of a JSON text."""

TIMES = (
    "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-23:59",
    "2027-01-15T08:00:00",
    "2027-02-30T08:00:00Z",
    "20270115T080000Z",
    "1800000000000",
    1_800_000_000,
    -1e12,
)

CONTENT_TYPES = tuple(
    said.encode() for said in (JSON, ARROW, STRUCTURED, "", "text/csv", "application/json; charset=latin-1", "a" * 5000)
)
EVENT_TYPES = (*(kind.encode() for kind in EventType), b"", b"io.fleettwin.frame.v2", b"\xff\xfe", b"x" * 10_000)
SENT = (b"0", b"1800000000000", b"99999999999999999", b"9" * 18, b"-1", b"", "\u0663".encode(), b"1e3", b"\0")
