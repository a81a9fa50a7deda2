"""Notes among dead letters: that the record of one was sent again, so that nobody sends it twice without knowing."""

from __future__ import annotations

from models.errors import RecordRefused
from models.instants import Instant, moment_of
from models.record import Outgoing, Record
from models.topics import dead_letters

_NOTE = "fleettwin_sent_again_at"
"""Header with decimal milliseconds: what has it is a note and no letter."""

AGAIN = "fleettwin_sent_again"
"""Header of the record that is sent again: the place of the one that was refused, as `topic/partition/offset`."""

_WHY = "__streams.errors.exception"
_PLACE = ("__streams.errors.topic", "__streams.errors.partition", "__streams.errors.offset")


def note(refused: Record, at: Instant) -> Outgoing:
    """That this record, which was refused, is being sent again."""
    place = (refused.topic, str(refused.partition), str(refused.offset))
    named = tuple((name, part.encode()) for name, part in zip(_PLACE, place, strict=True))
    identity = f"{place_of(refused)}@{at}"
    headers = (*named, (_NOTE, b"%d" % at))
    return Outgoing(dead_letters(refused.topic), refused.key, b"", headers, identity, partition=0)


def is_note(record: Record) -> bool:
    """Whether a record among dead letters is a note: a letter, whatever headers its record had, says why."""
    return record.header(_NOTE) is not None and record.header(_WHY) is None


def read_note(record: Record) -> tuple[str, str]:
    """The place of the record that was sent again, and when that was.

    Raises:
        RecordRefused: it does not say so.
    """
    at, parts = record.header(_NOTE) or b"", [record.header(name) for name in _PLACE]
    if not at.isdigit() or len(at) > 14 or None in parts:
        raise RecordRefused("undecodable", f"a note of {at[:20]!r}")
    place = "/".join((part or b"").decode(errors="replace") for part in parts)
    return place, moment_of(int(at)).isoformat(timespec="seconds").replace("+00:00", "Z")


def place_of(record: Record) -> str:
    """Where a record stands: `topic/partition/offset`."""
    return f"{record.topic}/{record.partition}/{record.offset}"
