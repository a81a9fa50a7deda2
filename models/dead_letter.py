"""Dead letters: what was refused, byte for byte, with the reason beside it (header names of KIP-1034)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson
from pydantic import TypeAdapter, ValidationError

from models.edge import RowRefusal
from models.errors import RecordRefused, first_doubt
from models.instants import LAST
from models.record import Outgoing, Record
from models.topics import dead_letters

_FIRST = "__streams.errors.exception"
"""Of the headers that are added to those of the refused record, which may have any, even these."""
_ROWS, _REFUSED = "fleettwin_rows", "fleettwin_refused"
_LISTED: TypeAdapter[tuple[RowRefusal, ...]] = TypeAdapter(tuple[RowRefusal, ...])

_LONGEST_REASON = 4000
_LONGEST_WORD = 256
_MOST_ROWS = 500
"""Listed one by one: the letter must fit where the record did."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a dead letter says of itself; `at` is when Kafka took it in, in milliseconds."""

    topic: str
    partition: int
    offset: int
    at: int
    code: str
    """Why; of several rows, that of the first."""
    detail: str
    source_topic: str
    source_partition: int
    source_offset: int
    key: str | None
    rows: int
    """Refused rows of a frame; 1 where the record was refused whole."""
    bytes: int
    """Of the record's value."""


def refused_record(record: Record, refused: RecordRefused) -> Outgoing:
    """The dead letter of a record that was refused whole."""
    return _letter(record, refused.code, refused.detail, ())


def refused_rows(record: Record, refusals: Sequence[RowRefusal]) -> Outgoing:
    """The dead letter of a frame of which some rows were refused; `fleettwin_rows` lists five hundred at most."""
    first = refusals[0]
    detail = f"{len(refusals)} rows refused; row {first.row}: {first.detail}"
    return _letter(record, first.code, detail, refusals)


def read_letter(record: Record) -> DeadLetter:
    """What stands beside the record that was refused; its own bytes are not looked at.

    Raises:
        RecordRefused: it does not say what became of which record.
    """
    if not 0 <= record.timestamp <= LAST:
        raise RecordRefused("undecodable", f"a dead letter of the time {record.timestamp}")
    said = _said(record)
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=record.timestamp,
        code=_text(said, _FIRST, _LONGEST_WORD),
        detail=_text(said, "__streams.errors.message", _LONGEST_REASON),
        source_topic=_text(said, "__streams.errors.topic", _LONGEST_WORD),
        source_partition=_number(said, "__streams.errors.partition", 2**31),
        source_offset=_number(said, "__streams.errors.offset", 2**63),
        key=None if record.key is None else _shown(record.key)[:_LONGEST_WORD],
        rows=1 if said.header(_REFUSED) is None else _number(said, _REFUSED, 2**31),
        bytes=len(record.value or b""),
    )


def refused_record_of(record: Record) -> Record:
    """The record that a dead letter holds, as it was: without the headers that say why it was refused.

    Its place is the one that it had; its timestamp is the letter's.

    Raises:
        RecordRefused: it does not say what became of which record.
    """
    told = read_letter(record)
    kept = record.headers[: len(record.headers) - len(_said(record).headers)]
    return Record(told.source_topic, told.source_partition, told.source_offset, told.at, record.key, record.value, kept)


def listed_rows(record: Record) -> tuple[RowRefusal, ...]:
    """The refused rows that a dead letter lists; none where the record was refused whole.

    Raises:
        RecordRefused: it lists something else.
    """
    listed = _said(record).header(_ROWS)
    if listed is None:
        return ()
    try:
        return _LISTED.validate_json(listed)
    except ValidationError as invalid:
        raise RecordRefused(
            "undecodable", f"a dead letter whose header {_ROWS} is none: {first_doubt(invalid)}"
        ) from None


def _letter(record: Record, code: str, detail: str, refusals: Sequence[RowRefusal]) -> Outgoing:
    added = [
        (_FIRST, code.encode()),
        ("__streams.errors.message", detail.encode(errors="replace")[:_LONGEST_REASON]),
        ("__streams.errors.topic", record.topic.encode()),
        ("__streams.errors.partition", str(record.partition).encode()),
        ("__streams.errors.offset", str(record.offset).encode()),
    ]
    if refusals:
        listed = refusals[:_MOST_ROWS]
        rows = [{"row": refusal.row, "code": refusal.code, "detail": refusal.detail} for refusal in listed]
        added.append((_ROWS, orjson.dumps(rows)))
        added.append((_REFUSED, str(len(refusals)).encode()))
    identity = f"{record.topic}/{record.partition}/{record.offset}"
    return Outgoing(
        dead_letters(record.topic), record.key, record.value, (*record.headers, *added), identity, partition=0
    )


def _said(record: Record) -> Record:
    """The letter with what was added alone: what the refused record says by the same names is not meant."""
    names = [name for name, _ in record.headers]
    begin = len(names) - 1 - names[::-1].index(_FIRST) if _FIRST in names else len(names)
    return replace(record, headers=record.headers[begin:])


def _header(record: Record, name: str) -> bytes:
    value = record.header(name)
    if value is None:
        raise RecordRefused("undecodable", f"a dead letter without the header {name}")
    return value


def _text(record: Record, name: str, longest: int) -> str:
    return _shown(_header(record, name))[:longest]


def _number(record: Record, name: str, end: int) -> int:
    text = _header(record, name)
    if not text.isdigit() or len(text) > len(str(end)) or int(text) >= end:
        raise RecordRefused("undecodable", f"a dead letter whose header {name} is {text[:_LONGEST_WORD]!r}")
    return int(text)


def _shown(value: bytes) -> str:
    """As text; a database takes no NUL."""
    return value.decode(errors="replace").replace("\0", "\ufffd")
