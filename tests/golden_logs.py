"""The records of the logs in `tests/data`: one of each version, written once and never again."""

from __future__ import annotations

from pathlib import Path

from infra.recordlog import LogHeader
from models.record import SENT_AT, Headers, Record
from models.topics import DEMAND, SITES, TELEMETRY

DATA = Path(__file__).parent / "data"
VERSION_1 = DATA / "golden-v1.log"
VERSION_2 = DATA / "golden-v2.log"

BLOCK_BYTES = 150
"""Of the golden logs: a few records a block."""

BEGINS = 1_767_225_600_000
HEADER = LogHeader(
    created_by="fleettwin 0.1.0 record",
    partitions={TELEMETRY: 2, SITES: 1, DEMAND: 1},
    rules={"tick": 1000, "grace": 500},
)


def _clock(topic: str, partition: int, offset: int, at: int) -> Record:
    headers: Headers = (("ce_specversion", b"1.0"), ("ce_type", b"io.fleettwin.clock.v1"))
    return Record(topic, partition, offset, at, b"clock", b'{"until":"2026-01-01T00:00:01Z"}', headers)


def _reading(partition: int, offset: int, at: int, site: str, headers: Headers = ()) -> Record:
    value = f'{{"site":"{site}","node":"n1","type":"h100-sxm","sequence":{offset},"power_watts":6851.3}}'
    return Record(TELEMETRY, partition, offset, at, site.encode(), value.encode(), headers)


RECORDS = (
    Record(SITES, 0, 0, BEGINS - 5000, b"memphis", b'{"site": "memphis", "supply_watts": 150e6, "pue": 1.3}'),
    _reading(0, 10, BEGINS, "memphis"),
    _reading(1, 7, BEGINS + 40, "montr\u00e9al", (("ce_id", b"1"), ("ce_id", b"2"), ("\u00fc", b"\xff\x00"))),
    _reading(0, 11, BEGINS + 1000, "memphis", ((SENT_AT, b"%d" % (BEGINS + 900)),)),
    _clock(TELEMETRY, 0, 12, BEGINS + 1001),
    _clock(TELEMETRY, 1, 8, BEGINS + 1001),
    Record(DEMAND, 0, 3, BEGINS + 300, None, b"\xfe is not UTF-8"),
    Record(DEMAND, 0, 4, BEGINS + 1500, b"", None, (("", b""),)),
    Record(DEMAND, 0, 9, BEGINS + 1500, b"\xff", b""),
    Record(TELEMETRY, -1, -1, BEGINS + 2000, b"memphis", b"not sent yet"),
)
"""Out of order within bounds, with gaps in offsets, keys and values that are none, empty, and no text."""
