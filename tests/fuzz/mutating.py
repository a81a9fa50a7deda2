"""How a case is changed into another one: bytes anywhere, or one thing of a record that stays one."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from infra.recordlog.packing import pack_record, unpack_records
from models.record import SENT_AT, Record
from tests.builders import T0
from tests.fuzz.frames import changed_frame
from tests.fuzz.hostile import CONTENT_TYPES, EVENT_TYPES, NAMES, NUMBERS, SENT
from tests.fuzz.jsons import changed_json

Change = Callable[[bytes, Random], bytes]

MOST_RECORDS = 6
LONGEST_CASE = 5 * 1024 * 1024
"""Kafka takes no record larger than that."""
_LARGEST = 4 * 1024 * 1024 + 1
_HEADERS = {
    "ce_type": EVENT_TYPES,
    "content-type": CONTENT_TYPES,
    SENT_AT: SENT,
    "fleettwin_refused": SENT,
    "fleettwin_rows": (b"", b"{", b"[1]"),
    "__streams.errors.exception": SENT,
}


def changed_bytes(value: bytes, random: Random) -> bytes:
    """A few bytes flipped, put in, taken out, repeated, or cut off."""
    if not value:
        return random.randbytes(random.choice((1, 8, 100)))
    content = bytearray(value)
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        place, size = random.randrange(len(content) + 1), random.choice((1, 2, 4, 8))
        match random.randrange(6):
            case 0:
                del content[place : place + size]
            case 1:
                content[place:place] = random.randbytes(size)
            case 2:
                content[place : place + size] = random.choice((b"\xff", b"\0", b"\x7f")) * size
            case 3:
                content[place : place + 8] = (random.choice(NUMBERS) % 2**64).to_bytes(8, "little")
            case 4:
                content[place:place] = content[max(0, place - 64) : place]
            case _:
                content[place : place + 1] = bytes((random.randrange(256),))
    return bytes(content[: random.randrange(len(content) + 1)] if random.random() < 0.05 else content)


def records_in(case: bytes, topic: str) -> list[Record]:
    """The records that a case stands for; one that is none is the value of one."""
    try:
        found = [record for record, _ in zip(unpack_records(case), range(MOST_RECORDS), strict=False)]
    except (struct.error, UnicodeDecodeError, ValueError):
        found = []
    return found or [Record(topic, 0, 0, T0, b"memphis", case)]


def packed(records: Sequence[Record]) -> bytes:
    """A case that stands for these records."""
    return b"".join(map(pack_record, records))


def records_changed(topic: str, change: Change = changed_bytes) -> Change:
    """Changes of cases that are records of a topic; `change` is for values that are neither JSON nor Arrow."""

    def changed(case: bytes, random: Random) -> bytes:
        records = records_in(case, topic)
        place = random.randrange(len(records))
        match random.randrange(12):
            case 0:
                records[place] = _header_changed(records[place], random)
            case 1:
                records[place] = replace(records[place], key=_key(random))
            case 2:
                stamp = random.choice((*NUMBERS, -1, T0 + random.randrange(10**6)))
                records[place] = replace(records[place], timestamp=stamp)
            case 3 if len(records) < MOST_RECORDS:
                records.insert(random.randrange(len(records) + 1), records[place])
            case 4 if len(records) > 1:
                del records[place]
            case 5:
                random.shuffle(records)
            case 6 if random.random() < 0.02:
                records[place] = replace(records[place], value=bytes(_LARGEST))
            case _:
                records[place] = replace(records[place], value=_value(records[place].value, random, change))
        longer = packed(records)
        return longer if len(longer) <= LONGEST_CASE else case

    return changed


def _value(value: bytes | None, random: Random, change: Change) -> bytes | None:
    if value is None:
        return b"{}"
    if random.random() < 0.03:
        return None
    if random.random() < 0.7:
        changed = changed_json(value, random) if value[:1] in (b"{", b"[") else changed_frame(value, random)
        if changed is not None:
            return changed
    return change(value, random)


def _header_changed(record: Record, random: Random) -> Record:
    headers = list(record.headers)
    name = random.choice(tuple(_HEADERS))
    match random.randrange(4):
        case 0 if headers:
            del headers[random.randrange(len(headers))]
        case 1 if headers:
            place = random.randrange(len(headers))
            headers[place] = headers[place][0], random.choice((b"", b"\xff\xfe", b"x" * 5000, random.randbytes(8)))
        case 2:
            headers.append((random.choice(NAMES)[:1000], random.randbytes(5)))
        case _:
            headers.append((name, random.choice(_HEADERS[name])))
    return replace(record, headers=tuple(headers))


def _key(random: Random) -> bytes | None:
    return random.choice((None, b"\xff", *(name.encode() for name in NAMES)))
