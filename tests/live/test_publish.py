"""A publisher on a real Kafka that goes away, killed and started anew meanwhile: nothing that it said is missing."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.embedded import process
from infra.embedded.kafka import Kafka
from infra.kafka_clients import opened_consumer
from infra.settings import KafkaSettings, Settings
from infra.topics import create_topics, partition_counts
from models.record import Record
from models.telemetry import Readings, TelemetryDecoder
from models.topics import EVENTS, TELEMETRY
from streams.logs.topic_reading import read_batches
from streams.publish.sequences import BOOT
from tests.builders import CATALOGUE
from tests.faults.servers import breakable_kafka
from tests.live.world import LOOK_AGAIN_SECONDS, ROOT, outside_environment
from tests.servers import CACHE

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]

NODES = 3
PATIENCE_SECONDS = 60.0

CONFIGURATION = f"""
source: simulated
site: memphis
node: sim
type: h100-sxm
interval_seconds: 1
options: {{nodes: {NODES}}}
"""


@dataclass
class Publisher:
    """The command, as a process, with its folder."""

    folder: Path
    environment: dict[str, str]
    child: subprocess.Popen[bytes] | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("publish", "--config", str(self.folder / "publish.yaml"), "--state-dir", str(self.folder / "state"))

    def start(self) -> None:
        environment = {**self.environment, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "cli", *self.arguments]
        self.child = process.start(command, self.folder / "publish.log", signal.SIGKILL, environment=environment)

    def kill(self) -> None:
        assert self.child is not None
        self.child.kill()
        self.child.wait()

    def stop(self) -> int:
        assert self.child is not None
        self.child.terminate()
        return self.child.wait(PATIENCE_SECONDS)

    def waiting(self) -> dict[int, int]:
        """The sequence numbers of what waits for Kafka, by boot the highest one."""
        highest: dict[int, int] = {}
        for (headers,) in self._spooled("SELECT headers FROM records"):
            boot, number = numbers_of(dict(orjson.loads(headers))["ce_id"])
            highest[boot] = max(highest.get(boot, 0), number)
        return highest

    def written(self) -> int:
        """How many records have ever been in the spool."""
        return sum(number for (number,) in self._spooled("SELECT seq FROM sqlite_sequence"))

    def _spooled(self, query: str) -> list[Any]:
        """What the spool says; nothing before it is made."""
        file = self.folder / "state" / "spool.db"
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()
        return []

    def await_waiting(self, holds: Callable[[dict[int, int]], bool], what: str) -> dict[int, int]:
        """What waits, once that is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds(waiting := self.waiting()):
            log = self.folder / "publish.log"
            assert self.child is not None
            assert self.child.poll() is None, process.last_lines(log)
            assert time.monotonic() < deadline, f"not yet: {what}\n{process.last_lines(log, 30)}"
            time.sleep(LOOK_AGAIN_SECONDS)
        return waiting


def numbers_of(identity: str) -> tuple[int, int]:
    """Boot and number within it of a record by its `ce_id`."""
    return divmod(int(identity.partition("@")[2].partition("/")[0]), BOOT)


@contextmanager
def publisher(folder: Path, address: str) -> Iterator[Publisher]:
    (folder / "publish.yaml").write_text(CONFIGURATION, encoding="utf-8")
    environment = {**outside_environment(), "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS": address}
    started = Publisher(folder, environment)
    try:
        yield started
    finally:
        if started.child is not None and started.child.poll() is None:
            started.kill()


def records_of(settings: Settings, topics: Collection[str]) -> list[Record]:
    """All records, in the order of each partition."""
    with opened_consumer(settings) as consumer:
        counts = partition_counts(settings, topics)
        return [record for batch in read_batches(consumer, settings.kafka, counts) for record in batch]


def identity_of(record: Record) -> str:
    return (record.header("ce_id") or b"").decode()


def test_nothing_is_missing_whatever_goes_away(tmp_path: Path) -> None:
    with breakable_kafka(tmp_path / "servers", CACHE) as kafka:
        assert isinstance(kafka.server, Kafka)
        address = kafka.server.bootstrap_servers
        settings = Settings(kafka=KafkaSettings(bootstrap_servers=address, telemetry_partitions=1))
        create_topics(settings)
        with publisher(tmp_path, address) as publishes:
            publishes.start()
            publishes.await_waiting(lambda waiting: not waiting and publishes.written() >= 3, "three have arrived")

            kafka.kill()
            (boot,) = publishes.await_waiting(lambda waiting: len(waiting) > 0, "a beat waits")
            left = publishes.await_waiting(lambda waiting: waiting[boot] >= 5, "beats go on without Kafka")
            publishes.kill()
            publishes.start()
            publishes.await_waiting(lambda waiting: len(waiting) == 2, "the next publisher beats without Kafka")

            kafka.start()
            publishes.await_waiting(lambda waiting: not waiting, "nothing waits")
            assert publishes.stop() == 0

        check(records_of(settings, [TELEMETRY, EVENTS]), boot, left[boot])


def check(records: list[Record], first_boot: int, spooled: int) -> None:
    """See that no number of a boot is missing, none is another record, and the edge refuses nothing."""
    once: dict[str, Record] = {}
    for record in records:
        assert once.setdefault(identity_of(record), record).value == record.value
    numbers: dict[int, set[int]] = defaultdict(set)
    for identity in once:
        boot, number = numbers_of(identity)
        numbers[boot].add(number)
    assert len(numbers) == 2
    for found in numbers.values():
        assert found == set(range(max(found) + 1))
    assert min(numbers) == first_boot
    assert max(numbers[first_boot]) >= spooled

    decoder, rows = TelemetryDecoder(CATALOGUE), []
    for record in once.values():
        if record.topic == TELEMETRY:
            decoded = decoder.decode(record)
            assert isinstance(decoded, Readings)
            assert decoded.refusals == ()
            assert len(decoded.columns) == NODES
            rows.append(decoded.columns.sequence.tolist())
    assert rows == sorted(rows)
    assert len(rows) >= 6
