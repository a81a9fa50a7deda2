"""What is fuzzed: every reader of what others send, with cases to begin with, and how these are changed.

`run` of a target takes any bytes. It returns where the case was read or refused as documented, and raises where not.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from infra.recordlog import LogDamaged, LogHeader, LogReader, LogWriter
from infra.recordlog.writer import BLOCK_BYTES
from infra.timescale.binary_copy import encode_nodes
from infra.timescale.copying import contents_of
from models.errors import ConfigurationError, RecordRefused, SnapshotDamaged
from models.partitioning import placed
from models.record import Record
from models.topics import DEAD_LETTERS, DEMAND, LEDGER, SITES, STATE, TELEMETRY
from streams.console.owners import Owners
from streams.consumers.alertmanager import alert_of
from streams.consumers.alerts import shortage_of
from streams.consumers.watching import FleetWatch
from streams.workers.checkpointing import Checkpoint, furthest, records_of
from streams.workers.gathering import Gathering
from tests.builders import CATALOGUE, T0, clock, frame
from tests.fuzz import seeds
from tests.fuzz.checking import check_decoded, check_letters
from tests.fuzz.mutating import Change, changed_bytes, packed, records_changed, records_in
from tests.fuzz.packed import changed_checkpoint, changed_log, changed_site_state, changed_snapshot
from tests.fuzz.seeds import whole_row
from tests.golden_logs import VERSION_1, VERSION_2
from twin.admission import admit
from twin.fleet import FleetMachine
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules()


@dataclass(frozen=True, slots=True)
class Target:
    """One reader, or a machine behind one."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    change: Change = changed_bytes
    share: int = 1
    """How many of all cases it gets, in proportion to the others."""


def telemetry(case: bytes) -> None:
    """The site machine: good rows are kept, bad ones told, ticks close, and the state comes back from its snapshot."""
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    refused = 0
    for offset, one in enumerate(records_in(case, TELEMETRY)):
        record = replace(one, topic=TELEMETRY, partition=0, offset=offset)
        check_decoded(record, machine.decoder)
        refused += check_letters(record, machine.fold(record))
    assert sum(site.refused for site in machine.sites.values()) <= refused
    if zlib.crc32(case) % 4 == 0:
        later = clock(T0 + 4000)
        assert check_letters(later, machine.fold(later)) == 0
        again = TelemetryMachine(0, 1, RULES, CATALOGUE)
        again.restore(machine.snapshot())
        assert again.digests() == machine.digests()


def admission(case: bytes) -> None:
    """Admission: a record becomes one of the ledger, which the fleet machine takes, or a dead letter."""
    for offset, one in enumerate(records_in(case, DEMAND)):
        topic = one.topic if one.topic in (SITES, DEMAND) else DEMAND
        record = replace(one, topic=topic, partition=0, offset=offset)
        output = admit(record, CATALOGUE)
        if output.topic == LEDGER:
            taken = Record(LEDGER, 0, 0, T0, output.key, output.value, output.headers)
            assert not check_letters(taken, FleetMachine(RULES, CATALOGUE).fold(taken))
        else:
            assert check_letters(record, [output]) == 1


def ledger(case: bytes) -> None:
    """The fleet machine: whatever the ledger says, what it puts out can be read, stored and shown."""
    machine = FleetMachine(RULES, CATALOGUE)
    for offset, one in enumerate(records_in(case, LEDGER)):
        record = replace(one, topic=LEDGER, partition=0, offset=offset)
        for output in machine.fold(record):
            if output.topic == STATE:
                store(Record(output.topic, 0, 0, T0, output.key, output.value, output.headers))
    again = FleetMachine(RULES, CATALOGUE)
    again.restore(machine.snapshot())
    assert again.digest() == machine.digest()


def store(record: Record) -> None:
    """What the store makes of a record: rows that PostgreSQL's binary format can hold, or a refusal."""
    gathering = Gathering()
    with suppress(RecordRefused):
        gathering.add(record)
    for content in contents_of(gathering.batch()):
        for each in content.frames:
            encode_nodes(each)


def outputs(case: bytes) -> None:
    """What reads the machines' outputs: the store, the console, and whoever is told of shortages."""
    for record in records_in(case, STATE):
        store(record)
        with suppress(ValidationError):
            FleetWatch().take(record)
        with suppress(ValidationError):
            Owners().take(record)
        with suppress(RecordRefused):
            alert_of(shortage_of(record))


def letters(case: bytes) -> None:
    """Dead letters as the store reads them."""
    for record in records_in(case, DEAD_LETTERS[0]):
        store(replace(record, topic=DEAD_LETTERS[0]))


def record_log(case: bytes) -> None:
    """A file that is said to be a record log: its records come, then a damage that names its place.

    A part that is looked up in its index is what reading all of it finds, unless either finds it damaged.
    """
    with tempfile.NamedTemporaryFile(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as file:
        file.write(case)
        file.flush()
        path, layout = Path(file.name), dict.fromkeys((TELEMETRY, SITES, DEMAND, LEDGER), 4)
        with suppress(ConfigurationError, LogDamaged), LogReader(path) as log:
            for _ in placed(log, layout):
                pass
        with suppress(ConfigurationError, LogDamaged), LogReader(path) as log:
            since = log.begins() or T0
            found = list(log.records(since, since + 1000))
            assert found == [record for record in log if since <= record.sent_at < since + 1000]


def _logs() -> list[bytes]:
    cases = [records_in(case, TELEMETRY) for case in (*seeds.admission(), *seeds.readings())]
    together = [replace(one, timestamp=T0 + place * 400) for place, one in enumerate(chain.from_iterable(cases))]
    written = [_log(records, BLOCK_BYTES) for records in cases]
    return [*written, _log(together, block_bytes=500), VERSION_1.read_bytes(), VERSION_2.read_bytes()]


def _log(records: Iterable[Record], block_bytes: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.log"
        with LogWriter(path, LogHeader(created_by="fuzz", partitions={TELEMETRY: 4}), block_bytes) as log:
            for record in records:
                log.append(record)
        return path.read_bytes()


def checkpoint(case: bytes) -> None:
    """The records of a checkpoint topic: the furthest that is whole, or none."""
    last = {record.key or b"": record.value or b"" for record in records_in(case, TELEMETRY)}
    found = furthest(TELEMETRY, last)
    assert found is None or found.next_offset >= 0


def _checkpoints() -> list[bytes]:
    cuts = (Checkpoint(TELEMETRY, 7, _telemetry_state(), 0, 3), Checkpoint(TELEMETRY, 9, b"", 1, 4))
    return [packed([Record(TELEMETRY, 0, 0, T0, key, value) for key, value in records_of(cut)]) for cut in cuts]


def site_state(case: bytes) -> None:
    """A snapshot of the site machine: taken, and folded on from, or refused with nothing changed."""
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    try:
        machine.restore(case)
    except (ConfigurationError, SnapshotDamaged):
        assert not machine.sites
        return
    machine.digests()
    machine.fold(frame([whole_row()]))
    machine.fold(clock(T0 + 60_000))


def fleet_state(case: bytes) -> None:
    """A snapshot of the fleet machine: taken, and folded on from, or refused."""
    machine = FleetMachine(RULES, CATALOGUE)
    try:
        machine.restore(case)
    except (ConfigurationError, SnapshotDamaged):
        return
    machine.digest()
    for one in seeds.ledger():
        for record in records_in(one, LEDGER):
            machine.fold(record)


def _telemetry_state() -> bytes:
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    for record in (frame([whole_row(node) for node in "ab"]), clock(T0 + 900), frame([whole_row("a", T0 + 2000)])):
        machine.fold(record)
    return machine.snapshot()


def _fleet_state() -> bytes:
    machine = FleetMachine(RULES, CATALOGUE)
    for case in seeds.ledger():
        for record in records_in(case, LEDGER):
            machine.fold(record)
    return machine.snapshot()


TARGETS: Mapping[str, Target] = {
    "frames": Target(telemetry, seeds.frames, records_changed(TELEMETRY), share=2),
    "readings": Target(telemetry, seeds.readings, records_changed(TELEMETRY), share=4),
    "admission": Target(admission, seeds.admission, records_changed(DEMAND), share=4),
    "ledger": Target(ledger, seeds.ledger, records_changed(LEDGER), share=2),
    "outputs": Target(outputs, seeds.outputs, records_changed(STATE), share=3),
    "letters": Target(letters, seeds.letters, records_changed(DEAD_LETTERS[0]), share=2),
    "record_log": Target(record_log, _logs, changed_log, share=2),
    "checkpoint": Target(checkpoint, _checkpoints, changed_checkpoint(TELEMETRY), share=2),
    "site_state": Target(site_state, lambda: [_telemetry_state()], changed_site_state, share=2),
    "fleet_state": Target(fleet_state, lambda: [_fleet_state()], changed_snapshot, share=2),
}
"""By name, as `make fuzz` calls them."""
