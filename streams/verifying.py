"""The oracle: what stands in the telemetry and the ledger is folded again, and everything else is held against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.kafka_clients import opened_consumer
from infra.rules import rules_of
from infra.settings import Settings
from infra.topics import partition_counts
from models.catalogue import shipped_catalogue
from models.cloudevents import EventType
from models.node_frame import read_node_frame
from models.record import Record
from models.topics import DEMAND, LEDGER, NODES, SHORTAGES, SITES, STATE, TELEMETRY, dead_letters
from streams.topic_reading import read_batches
from twin.offline import OfflineTwin

INPUTS = (TELEMETRY, SITES, DEMAND)
DEAD_LETTERS = tuple(dead_letters(topic) for topic in INPUTS)
OUTPUTS = (LEDGER, NODES, STATE, SHORTAGES, *DEAD_LETTERS)

_DECIDED_LIVE = (EventType.AWAY.encode(), EventType.BACK.encode())
"""Records of the ledger that follow from wall time: they are taken as they stand."""


@dataclass
class Difference:
    """One thing that is not as the oracle says."""

    where: str
    identity: str
    problem: str
    expected: str | None = None
    found: str | None = None


@dataclass
class Tally:
    """One output held against the oracle's."""

    expected: int = 0
    found: int = 0
    repeated: int = 0
    """Found again, word for word: the trace of a crash."""
    missing: int = 0
    unexpected: int = 0
    different: int = 0


@dataclass
class Verification:
    """What was compared, and what differs."""

    readings: Mapping[str, int] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    first: Difference | None = None
    state_hash: str = ""

    @property
    def differences(self) -> int:
        """How many there are, over everything compared."""
        return sum(tally.missing + tally.unexpected + tally.different for tally in self.tallies.values())

    def differ(self, difference: Difference) -> None:
        """Remember the first."""
        self.first = self.first or difference

    def compare(self, where: str, expected: Mapping[str, bytes], found: Iterable[tuple[str, bytes]]) -> None:
        """Hold what was found, by identity, against what is expected."""
        tally = self.tallies[where] = Tally(expected=len(expected))
        seen: set[str] = set()
        for identity, value in found:
            tally.found += 1
            wanted = expected.get(identity)
            if wanted is None:
                tally.unexpected += 1
                self.differ(Difference(where, identity, "is there and should not be", None, _shown(value)))
            elif not _equal(where, wanted, value):
                tally.different += 1
                self.differ(Difference(where, identity, "differs", _shown(wanted), _shown(value)))
            tally.repeated += identity in seen
            seen.add(identity)
        absent = [identity for identity in expected if identity not in seen]
        tally.missing = len(absent)
        if absent:
            self.differ(Difference(where, absent[0], "is missing", _shown(expected[absent[0]])))

    def compare_rows(self, where: str, expected: Iterable[tuple[Any, ...]], found: Iterable[tuple[Any, ...]]) -> None:
        """Hold a table's rows against what they should be."""
        tally = self.tallies[where] = Tally()
        wanted: dict[tuple[Any, ...], int] = {}
        for row in expected:
            wanted[row] = wanted.get(row, 0) + 1
            tally.expected += 1
        for row in found:
            tally.found += 1
            if wanted.get(row, 0):
                wanted[row] -= 1
            else:
                tally.unexpected += 1
                self.differ(Difference(where, str(row[:3]), "is there and should not be, or not so", None, str(row)))
        for row, times in wanted.items():
            if times:
                tally.missing += times
                self.differ(Difference(where, str(row[:3]), "is missing, or not so", str(row)))

    def report(self) -> dict[str, Any]:
        """All of it, for machines."""
        return {
            "readings": dict(self.readings),
            "compared": {where: vars(tally) for where, tally in self.tallies.items()},
            "differences": self.differences,
            "first_difference": None if self.first is None else vars(self.first),
            "state_hash": self.state_hash,
        }


@dataclass
class Oracle:
    """The offline twin's outputs, by topic and identity."""

    twin: OfflineTwin
    expected: dict[str, dict[str, bytes]] = field(default_factory=lambda: {topic: {} for topic in OUTPUTS})

    def fold(self, records: Iterable[Record]) -> None:
        """Fold records of the inputs or of the ledger."""
        for record in records:
            for output in self.twin.fold(record):
                self.expected[output.topic][output.identity] = output.value or b""


def verify_topics(settings: Settings, progress: Callable[[str], None]) -> tuple[Verification, Oracle]:
    """Fold inputs and ledger, and compare the topics; nothing may be sent to them meanwhile.

    Raises:
        ConfigurationError: a topic is not there.
        Unavailable: no Kafka answers.
    """
    twin = OfflineTwin(
        rules_of(settings.twin), shipped_catalogue(), settings.kafka.telemetry_partitions, ledger_given=True
    )
    oracle, verification = Oracle(twin), Verification()
    for topic in (*INPUTS, LEDGER):
        progress(f"folding {topic}")
        oracle.fold(_records(settings, topic))
    for topic in OUTPUTS:
        progress(f"comparing {topic}")
        found = ((_identity(record), record.value or b"") for record in _records(settings, topic) if _foretold(record))
        verification.compare(topic, oracle.expected[topic], found)
    sites = [site for machine in twin.telemetry.values() for site in machine.sites.values()]
    verification.readings = {
        "observed": sum(site.observed for site in sites),
        "refused": sum(site.refused for site in sites),
    }
    verification.state_hash = twin.digest()
    return verification, oracle


def _records(settings: Settings, topic: str) -> Iterator[Record]:
    partitions = partition_counts(settings, [topic])
    with opened_consumer(settings) as consumer:
        for batch in read_batches(consumer, settings.kafka, partitions):
            yield from batch


def _foretold(record: Record) -> bool:
    """Whether it follows from the logs, and not from a decision that is one of their records."""
    return record.header("ce_type") not in _DECIDED_LIVE


def _identity(record: Record) -> str:
    if record.topic in DEAD_LETTERS:
        names = ("topic", "partition", "offset")
        return "/".join((record.header(f"__streams.errors.{name}") or b"?").decode() for name in names)
    return (record.header("ce_id") or b"?").decode()


def _equal(where: str, wanted: bytes, value: bytes) -> bool:
    """Byte for byte; node frames that another version of Arrow wrote may be equal all the same."""
    if wanted == value:
        return True
    return where == NODES and read_node_frame(wanted).batch.equals(read_node_frame(value).batch)


def _shown(value: bytes) -> str:
    return value[:2000].decode(errors="replace") if value[:1] == b"{" else f"{len(value)} bytes"


def outputs_of(oracle: Oracle, topic: str) -> list[bytes]:
    """What the oracle says stands on a topic."""
    return list(oracle.expected[topic].values())
