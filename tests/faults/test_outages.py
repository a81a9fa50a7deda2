"""Servers that are away for long, or whose disk is full: what can go on goes on, the rest waits, nothing is lost."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from infra.embedded.kafka import Kafka
from infra.kafka_clients import opened_producer
from infra.kafka_sender import handed
from infra.settings import KafkaSettings, Settings
from infra.topics import create_topics
from models.record import Outgoing
from models.topics import SHORTAGES, TELEMETRY
from tests.faults.fleet import CYCLE_SECONDS, dirty_fleet
from tests.faults.servers import Breakable, breakable_kafka
from tests.faults.twin import Twin, whole_twin
from tests.servers import CACHE

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1800)]

RATE = 500
KAFKA_AWAY_SECONDS = 35.0
"""Longer than the group's session and than a worker waits for an answer to what it has sent."""

PATIENCE_SECONDS = 60.0

DISK, FULL_SECONDS = "600m", 20.0

INDEX_BYTES = 64 * 1024
"""Of each of Kafka's indexes; far more than is written to one while the disk is full."""


def check(twin: Twin) -> None:
    """Let everything come to its end, and ask the oracle."""
    twin.settle()
    verified, notes = twin.verified(), twin.check_notes()
    if verified["differences"]:
        told = (verified["first_difference"], verified["compared"], "read once more", twin.verified()["compared"])
        raise AssertionError(f"{told}\n{twin.crew.told()}")
    assert (notes.lost, notes.repeated) == (0, 0)
    assert notes.noted > 0


def shortage_events(twin: Twin) -> int:
    return twin.ends(SHORTAGES)[SHORTAGES, 0]


def pause(twin: Twin, seconds: float) -> None:
    until = time.monotonic() + seconds
    twin.crew.wait_until(lambda: time.monotonic() >= until, "time passes", seconds + 60)


def test_kafka_may_be_away_for_long(tmp_path: Path) -> None:
    with whole_twin(tmp_path, CACHE, dirty_fleet(RATE)) as twin:
        twin.servers.kafka.kill()
        pause(twin, KAFKA_AWAY_SECONDS)
        twin.servers.kafka.start()
        twin.recovered_after(time.time())
        assert twin.sender.starts == 1, "the sender holds what it has until Kafka is back"
        check(twin)


def test_a_sender_whose_first_record_finds_kafka_asleep_waits_for_it(tmp_path: Path) -> None:
    with breakable_kafka(tmp_path / "servers", CACHE) as kafka:
        assert isinstance(kafka.server, Kafka)
        settings = Settings(kafka=KafkaSettings(bootstrap_servers=kafka.server.bootstrap_servers))
        create_topics(settings)
        told: Queue[str] = Queue()
        record = Outgoing(TELEMETRY, b"site", b"{}", (), "r", 0)
        with opened_producer(settings) as producer, ThreadPoolExecutor(1) as pool:
            kafka.sleep()
            waiting = pool.submit(handed, producer, TELEMETRY, record, PATIENCE_SECONDS, told.put)
            assert told.get(timeout=PATIENCE_SECONDS).startswith("Kafka does not answer")
            kafka.wake()
            arrived = waiting.result(PATIENCE_SECONDS).get(timeout=PATIENCE_SECONDS)

    assert (arrived.partition, arrived.offset) == (0, 0)


def test_alerts_go_on_without_the_database_and_the_store_catches_up(tmp_path: Path) -> None:
    with whole_twin(tmp_path, CACHE, dirty_fleet(RATE)) as twin:
        twin.servers.database.kill()
        before = shortage_events(twin)
        twin.crew.wait_until(lambda: shortage_events(twin) > before, "shortages change", 3 * CYCLE_SECONDS)
        assert twin.store.starts == 1, "the store waits for its database"
        twin.servers.database.start()
        twin.recovered_after(time.time())
        check(twin)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own, which can be filled."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def allocate_indexes(disk: Path) -> None:
    """Give Kafka's indexes their place on the disk now, as they are files with holes that it maps into memory.

    Where the disk is full an entry that falls into a hole fails after its records are in the log. Kafka 4.3.1 takes it
    for an error of that request alone ("a fault occurred in a recent unsafe memory access operation"), gives the same
    offsets again, and on its next start may lose what it had acknowledged: docs/reliability.md. Nobody who reads and
    writes it can do anything about that, so what is tried here is a disk that is full for the log itself.
    """
    for file in disk.rglob("*index"):
        with file.open("r+b") as index:
            size = min(os.fstat(index.fileno()).st_size, INDEX_BYTES)
            if size:
                os.posix_fallocate(index.fileno(), 0, size)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Not a byte is left while the block runs."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:  # what is left in a buffer would be written as it is closed, and fail
        try:
            while True:
                file.write(bytes(2**20))
        except OSError:
            pass
    try:
        yield
    finally:
        filler.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
@pytest.mark.parametrize("which", ["kafka", "database"])
def test_a_full_disk_costs_nothing_once_there_is_room_again(which: str, tmp_path: Path) -> None:
    folder = tmp_path / "instances" / "faults" / ("kafka" if which == "kafka" else "timescaledb")
    with small_disk(folder), whole_twin(tmp_path, CACHE, dirty_fleet(RATE)) as twin:
        server: Breakable = getattr(twin.servers, which)
        if which == "kafka":
            allocate_indexes(folder)
        with full(folder):
            stuck = twin.newest_whole_tick()
            pause(twin, FULL_SECONDS)
            assert twin.newest_whole_tick() - stuck < FULL_SECONDS, "nothing became rows meanwhile"
        if not server.runs:
            server.start()
        twin.recovered_after(time.time())
        check(twin)
