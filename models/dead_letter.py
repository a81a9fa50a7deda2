"""Dead letters: what was refused, byte for byte, with the reason beside it (header names of KIP-1034)."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from models.edge import RowRefusal
from models.errors import RecordRefused
from models.record import Outgoing, Record
from models.topics import dead_letters

_LONGEST_REASON = 4000
_MOST_ROWS = 500
"""Listed one by one: the letter must fit where the record did."""


def refused_record(record: Record, refused: RecordRefused) -> Outgoing:
    """The dead letter of a record that was refused whole."""
    return _letter(record, refused.code, refused.detail, ())


def refused_rows(record: Record, refusals: Sequence[RowRefusal]) -> Outgoing:
    """The dead letter of a frame of which some rows were refused; `fleettwin_rows` lists the first five hundred."""
    first = refusals[0]
    detail = f"{len(refusals)} rows refused; row {first.row}: {first.detail}"
    return _letter(record, first.code, detail, refusals)


def _letter(record: Record, code: str, detail: str, refusals: Sequence[RowRefusal]) -> Outgoing:
    added = [
        ("__streams.errors.exception", code.encode()),
        ("__streams.errors.message", detail.encode(errors="replace")[:_LONGEST_REASON]),
        ("__streams.errors.topic", record.topic.encode()),
        ("__streams.errors.partition", str(record.partition).encode()),
        ("__streams.errors.offset", str(record.offset).encode()),
    ]
    if refusals:
        listed = refusals[:_MOST_ROWS]
        rows = [{"row": refusal.row, "code": refusal.code, "detail": refusal.detail} for refusal in listed]
        added.append(("fleettwin_rows", orjson.dumps(rows)))
    identity = f"{record.topic}/{record.partition}/{record.offset}"
    return Outgoing(
        dead_letters(record.topic), record.key, record.value, (*record.headers, *added), identity, partition=0
    )
