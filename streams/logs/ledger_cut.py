"""The ledger cut at a time by its own clock: a twin on a replay writes it later than its inputs tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pydantic import ValidationError

from models.cloudevents import EventType
from models.instants import instant_of
from models.ledger import LEDGER_RECORD, Samples
from models.record import Record
from streams.logs.statements import is_admitted_clock

_SAMPLES = EventType.SAMPLES.encode()


class LedgerCut:
    """Cuts records of the ledger, one after the other, in milliseconds of event time.

    Samples and clocks of before are left out; what people said before, and which partitions were away, is kept. Each
    tick that is left has the samples of all partitions or of none.
    """

    def __init__(self, since: int | None, until: int | None) -> None:
        self._since, self._until = since, until
        self._begun: set[bytes | None] = set()
        """Partitions, by their key, whose samples from the beginning on have come."""
        self._over = False

    def cut(self, record: Record) -> Record | None:
        """The record, or as much of it as lies within; none where nothing does."""
        samples = record.header("ce_type") == _SAMPLES
        if samples or is_admitted_clock(record):
            now = _event_time(record)
            self._over = self._over or (self._until is not None and now >= self._until)
            if self._since is not None and now < self._since:
                return None
        if self._over:
            return None
        if samples and self._since is not None and record.key not in self._begun:
            self._begun.add(record.key)
            return _from(record, self._since)
        return record


def _from(record: Record, since: int) -> Record:
    """Samples without the ticks before: another partition's samples of those were left out."""
    try:
        entry = LEDGER_RECORD.validate_json(record.value or b"")
    except ValidationError:
        return record
    if not isinstance(entry, Samples) or all(tick >= since for tick in entry.ticks):
        return record
    later = {
        "ticks": tuple(tick for tick in entry.ticks if tick >= since),
        "samples": tuple(sample for sample in entry.samples if sample.tick >= since),
    }
    return replace(record, value=entry.model_copy(update=later).model_dump_json().encode())


def _event_time(record: Record) -> int:
    """By the header that every worker writes; one that is missing or none is before everything."""
    try:
        moment = datetime.fromisoformat((record.header("ce_time") or b"").decode())
    except ValueError:
        return -1
    return -1 if moment.tzinfo is None else instant_of(moment)
