"""What must hold of whatever is done with a case, beside that nothing but a documented refusal is raised."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from models.cloudevents import ARROW, EventType, unwrap
from models.dead_letter import read_letter
from models.errors import RecordRefused
from models.frame import read_frame
from models.record import Outgoing, Record
from models.single import SingleReading, read_single
from models.telemetry import Readings, TelemetryDecoder
from models.topics import dead_letters
from tests.builders import CATALOGUE
from tests.fuzz.reference import doubts, rows_of

MOST_MEGABYTES = 768
"""That a process may grow by while a case runs: a few times what the largest frame may unpack to."""

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_HIGH_WATER = "5"
"""Written there, it makes VmHWM begin anew."""


class Memory:
    """What this process takes while a case runs; what was taken to make the case is not counted. In megabytes."""

    peak = 0
    """The most so far."""

    @classmethod
    @contextmanager
    def bounded(cls) -> Iterator[None]:
        """Run a case, and see that the process has not grown by more than it may meanwhile."""
        _CLEAR.write_text(_HIGH_WATER)
        begun = _megabytes("VmRSS")
        yield
        high = _megabytes("VmHWM")
        cls.peak = max(cls.peak, high)
        grown = high - begun
        assert grown <= MOST_MEGABYTES, f"{grown} MB more; Arrow had {pa.default_memory_pool().max_memory() // 2**20}"


def _megabytes(field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    assert found, field
    return int(found.group(1)) // 1024


def check_letters(record: Record, outputs: Sequence[Outgoing]) -> int:
    """See that a dead letter among the outputs is the record, byte for byte, with its reason; how many rows it is."""
    letters = [output for output in outputs if output.topic == dead_letters(record.topic)]
    assert len(letters) <= 1, letters
    for letter in letters:
        assert (letter.key, letter.value) == (record.key, record.value)
        assert letter.headers[: len(record.headers)] == record.headers
        found = read_letter(Record(letter.topic, 0, 0, 0, letter.key, letter.value, letter.headers))
        assert (found.source_topic, found.source_offset) == (record.topic, record.offset)
        assert found.code
        return found.rows
    return 0


def check_rows(record: Record, found: Readings) -> None:
    """See that exactly the rows are kept that are good when one looks at them one by one."""
    _, batch = read_frame(unwrap(record, EventType.READING).body)
    rows = rows_of(batch)
    wrong = {number: codes for number, row in enumerate(rows) if (codes := doubts(row, record.sent_at))}
    told = {refusal.row: refusal.code for refusal in found.refusals}
    assert told.keys() == wrong.keys(), (told, wrong)
    assert all(code in wrong[number] for number, code in told.items()), (told, wrong)
    good = [row for number, row in enumerate(rows) if number not in wrong]
    kept = found.columns
    assert [kept.roster.nodes[who] for who in kept.who.tolist()] == [row["node"] for row in good]
    for name in ("at", "sequence", "installed", "in_service"):
        assert getattr(kept, name).tolist() == [row[name] for row in good]
    watts = [row.get("power_watts") for row in good]
    assert kept.power.tolist() == [-1 if one is None else round(one * 1000) for one in watts]


def check_single(record: Record, found: SingleReading | str) -> None:
    """See that the short way and the model make the same of a JSON reading, be it the same refusal."""
    try:
        told: SingleReading | str = read_single(record, unwrap(record, EventType.READING).body, CATALOGUE)
    except RecordRefused as refused:
        told = refused.code
    assert told == found


def check_decoded(record: Record, decoder: TelemetryDecoder) -> None:
    """See that a telemetry record is read, or refused, as it must be."""
    try:
        envelope = unwrap(record, EventType.READING)
        found = decoder.decode(record)
    except RecordRefused:
        return
    if isinstance(found, Readings):
        assert envelope.content_type == ARROW
        check_rows(record, found)
    elif isinstance(found, SingleReading):
        check_single(record, found)
