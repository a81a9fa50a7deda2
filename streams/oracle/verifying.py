"""The oracle: what stands in the telemetry and the ledger is folded again, and everything else is held against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from infra.catalogues import chosen_catalogue
from infra.groups import Positions, settled_positions
from infra.kafka_clients import opened_consumer
from infra.rules import rules_of
from infra.settings import Settings
from infra.timescale.batch import RowBatch
from infra.timescale.connection import connect
from infra.timescale.reading_back import expected_rows, stored_rows
from infra.timescale.tables import DERIVED
from infra.topics import partition_counts
from models.cloudevents import EventType
from models.dead_letter import DeadLetter, read_letter
from models.errors import RecordRefused
from models.node_frame import read_node_frame
from models.record import Record
from models.replay_note import is_note
from models.shortage import Shortage
from models.state import FleetState, SiteState
from models.topics import (
    DEAD_LETTERS,
    INPUTS,
    LEDGER,
    NODES,
    OPEN_SHORTAGES,
    SHORTAGES,
    STATE,
    TELEMETRY,
)
from streams.logs.topic_reading import read_batches
from streams.oracle.last_words import Word, compare_last_words
from streams.oracle.verification import Expected, Verification
from twin.offline import OfflineTwin

OUTPUTS = (LEDGER, NODES, STATE, SHORTAGES, *DEAD_LETTERS)
STORED = (NODES, STATE, SHORTAGES)

_DECIDED_LIVE = (EventType.AWAY.encode(), EventType.BACK.encode())
"""Records of the ledger that follow from wall time: they are taken as they stand."""


@dataclass
class Oracle:
    """What must and what may stand on each topic, by identity, and what the store must have written of it."""

    twin: OfflineTwin
    expected: dict[str, dict[str, Expected]] = field(default_factory=lambda: {topic: {} for topic in OUTPUTS})
    stored: dict[str, set[str]] = field(default_factory=lambda: {topic: set() for topic in STORED})
    letters: dict[bool, list[DeadLetter]] = field(default_factory=lambda: {True: [], False: []})
    """The dead letters found, by whether the store must have written them: where one lies is no matter of the logs."""
    open_shortages: dict[bytes, dict[str, Word]] = field(default_factory=dict)
    """What each key of the compacted topic must say in turn, by identity."""

    def fold(self, record: Record, done: Positions) -> None:
        """Fold a record of the inputs or of the ledger; `done` says how far the worker is safely through."""
        due = record.offset < done.get((record.topic, record.partition), 0)
        for output in self.twin.fold(record):
            if output.topic == OPEN_SHORTAGES:
                words = self.open_shortages.setdefault(output.key or b"", {})
                words.setdefault(output.identity, Word(output.value, due))
                continue
            self.expected[output.topic].setdefault(output.identity, Expected(output.value or b"", due))


def verify(settings: Settings, database: str | None, progress: Callable[[str], None]) -> tuple[Verification, Oracle]:
    """Fold inputs and ledger; compare the topics, and the database where its address is given.

    Raises:
        ConfigurationError: a topic is not there.
        Unavailable: no Kafka or no database answers, or a worker is still at work.
    """
    twin = OfflineTwin(
        rules_of(settings.twin), chosen_catalogue(settings.twin), settings.kafka.telemetry_partitions, ledger_given=True
    )
    oracle, verification = Oracle(twin), Verification()
    done, stored = settled_positions(settings, "twin"), settled_positions(settings, "store")
    for topic in (*INPUTS, LEDGER):
        progress(f"folding {topic}")
        for record in _records(settings, topic):
            oracle.fold(record, done)
            if topic == TELEMETRY:
                verification.telemetry_ends[record.partition] = record.offset + 1
    for topic in OUTPUTS:
        progress(f"comparing {topic}")
        found = _found(settings, topic, oracle, stored)
        verification.compare(topic, oracle.expected[topic], found, partial(_same, topic))
    progress(f"comparing {OPEN_SHORTAGES}")
    should = {key: list(words.values()) for key, words in oracle.open_shortages.items()}
    says = {record.key or b"": record.value for record in _records(settings, OPEN_SHORTAGES)}
    verification.add(OPEN_SHORTAGES, *compare_last_words(OPEN_SHORTAGES, should, says))
    sites = [site for machine in twin.telemetry.values() for site in machine.sites.values()]
    verification.readings = {
        "observed": sum(site.observed for site in sites),
        "refused": sum(site.refused for site in sites),
    }
    verification.state_hash = twin.digest()
    if database is not None:
        _verify_rows(settings, database, oracle, verification, progress)
    return verification, oracle


def _records(settings: Settings, topic: str) -> Iterator[Record]:
    partitions = partition_counts(settings, [topic])
    with opened_consumer(settings) as consumer:
        for batch in read_batches(consumer, settings.kafka, partitions):
            yield from batch


def _found(settings: Settings, topic: str, oracle: Oracle, stored: Positions) -> Iterator[tuple[str, bytes]]:
    """What stands on a topic and follows from the logs, by identity; notes what the store is done with."""
    for record in _records(settings, topic):
        if record.header("ce_type") in _DECIDED_LIVE and topic == LEDGER:
            continue
        if topic in DEAD_LETTERS and is_note(record):
            continue
        identity = _identity(record)
        written = record.offset < stored.get((topic, record.partition), 0)
        if topic in DEAD_LETTERS:
            with suppress(RecordRefused):  # not a letter of ours: it is unexpected, and no row
                oracle.letters[written].append(read_letter(record))
        elif written:
            oracle.stored[topic].add(identity)
        yield identity, record.value or b""


def _identity(record: Record) -> str:
    if record.topic in DEAD_LETTERS:
        names = ("topic", "partition", "offset")
        return "/".join((record.header(f"__streams.errors.{name}") or b"?").decode() for name in names)
    return (record.header("ce_id") or b"?").decode()


def _same(topic: str, wanted: bytes, value: bytes) -> bool:
    """Byte for byte; node frames that another version of Arrow wrote may be equal all the same."""
    if wanted == value:
        return True
    return topic == NODES and read_node_frame(wanted).batch.equals(read_node_frame(value).batch)


def _verify_rows(
    settings: Settings, database: str, oracle: Oracle, verification: Verification, progress: Callable[[str], None]
) -> None:
    written, coming = _batch(oracle, written=True), _batch(oracle, written=False)
    with connect(database, "fleettwin verify") as connection:
        for table in DERIVED:
            progress(f"comparing table {table.name}")
            found = stored_rows(connection, settings.database.schema_name, table)
            verification.compare_rows(
                f"table {table.name}", expected_rows(written, table), expected_rows(coming, table), found
            )


def _batch(oracle: Oracle, *, written: bool) -> RowBatch:
    """All that the store must have written, or all that it may."""

    def values(topic: str, prefix: str = "") -> list[bytes]:
        chosen = oracle.expected[topic]
        return [
            chosen[identity].value
            for identity in chosen
            if identity.startswith(prefix) and (identity in oracle.stored[topic]) == written
        ]

    return RowBatch(
        sites=[SiteState.model_validate_json(value) for value in values(STATE, "site/")],
        fleet=[FleetState.model_validate_json(value) for value in values(STATE, "fleet/")],
        shortages=[Shortage.model_validate_json(value) for value in values(SHORTAGES)],
        nodes=[read_node_frame(value) for value in values(NODES)],
        letters=oracle.letters[written],
    )
