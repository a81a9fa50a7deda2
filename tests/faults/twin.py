"""A whole twin on breakable servers: sender, two twin workers, a store, each under a supervisor."""

from __future__ import annotations

import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psycopg
from pydantic import SecretStr

from benchmarks.fleets import write_scenario
from infra.groups import await_coordinator, worker_positions
from infra.kafka_clients import opened_consumer
from infra.offsets import ends_of
from infra.settings import ClockSource, DatabaseSettings, KafkaSettings, Settings, TwinSettings
from infra.timescale.connection import connect, server_name
from infra.timescale.migrations import migrate
from infra.topics import create_topics, partition_counts
from models.record import Record
from models.scenario import Scenario
from models.topics import DEMAND, SITES, TELEMETRY
from streams.logs.topic_reading import read_batches
from tests.faults.crew import Crew, Member, crew, worker
from tests.faults.servers import Servers, breakable_servers
from tests.live.world import STORED, fleettwin, outside_environment, reached

PATIENCE_SECONDS = 180.0
PARTITIONS = 4
NODE_INTERVAL_MILLISECONDS = 30_000
SENT = (TELEMETRY, SITES, DEMAND)


@dataclass
class Twin:
    """What faults are done to, and what tells whether it has got over them."""

    servers: Servers
    crew: Crew
    settings: Settings
    environment: dict[str, str]
    folder: Path
    scenario: Path
    sites: int
    notes: list[Path] = field(default_factory=list)

    @property
    def twins(self) -> list[Member]:
        return [self.crew.members["twin-1"], self.crew.members["twin-2"]]

    @property
    def store(self) -> Member:
        return self.crew.members["store"]

    @property
    def sender(self) -> Member:
        return self.crew.members["sender"]

    def hire_all(self) -> None:
        """Start everybody."""
        for name in ("twin-1", "twin-2"):
            self.crew.hire(name, worker("twin"), self.environment, self.folder)
        self.crew.hire("store", worker("store"), self.environment, self.folder)
        self.crew.hire("sender", self._sender_line, self.environment, self.folder)

    def _sender_line(self, start: int) -> tuple[str, ...]:
        notes = self.folder / f"notes-{start}"
        self.notes.append(notes)
        return (sys.executable, "-m", "tests.faults.sender", str(self.scenario), str(notes))

    def newest_whole_tick(self) -> float:
        """The newest second of event time of which the database has all sites, none of them away; 0 where none."""
        try:
            with psycopg.connect(self.servers.database_url, connect_timeout=3) as connection:
                row = connection.execute(
                    "select extract(epoch from max(time)) from (select time from fleettwin.site_samples"
                    " where presence = 'present' and time > (select max(time) - interval '2 min' from"
                    " fleettwin.site_samples) group by time having count(*) = %s) whole",
                    [self.sites],
                ).fetchone()
        except psycopg.Error:
            return 0.0
        return 0.0 if row is None or row[0] is None else float(row[0])

    def recovered_after(self, moment: float, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait for the row of a tick after this moment of the wall; gives the seconds from the moment on."""
        self.crew.wait_until(lambda: self.newest_whole_tick() >= moment, "rows of all sites come again", seconds)
        return time.time() - moment

    def is_through(self, group: str, ends: Mapping[tuple[str, int], int]) -> bool:
        """Whether the group has committed all up to there."""
        return reached(worker_positions(self.settings, group), ends)

    def ends(self, *topics: str) -> dict[tuple[str, int], int]:
        """The offset after the last record of each partition; topics without the prefix."""
        counts = partition_counts(self.settings, topics)
        with opened_consumer(self.settings) as consumer:
            return ends_of(consumer, [(topic, part) for topic, count in counts.items() for part in range(count)])

    def settle(self) -> None:
        """Stop the sender, let the others finish, and stop them, too."""
        assert self.sender.stop() == 0, self.crew.told()
        sent = self.ends(*SENT)  # the workers go on adding clocks
        self.crew.wait_until(lambda: self.is_through("twin", sent), "the twin has folded all", PATIENCE_SECONDS)
        self.recovered_after(time.time())
        for twin in self.twins:
            assert twin.stop() == 0, self.crew.told()
        written = self.ends(*STORED)
        self.crew.wait_until(lambda: self.is_through("store", written), "the store has written all", PATIENCE_SECONDS)
        assert self.store.stop() == 0, self.crew.told()

    def verified(self) -> dict[str, Any]:
        """What `fleettwin verify` says."""
        told = fleettwin("verify", "--json", environment=self.environment, folder=self.folder, seconds=3600)
        assert told.stdout, told.stderr
        return dict(orjson.loads(told.stdout))

    def check_notes(self) -> Notes:
        """Hold what senders were told against what the topics have."""
        notes = Notes()
        for path in self.notes:
            notes.take(path)
        with opened_consumer(self.settings) as consumer:
            for topic in SENT:
                for batch in read_batches(consumer, self.settings.kafka, partition_counts(self.settings, [topic])):
                    for record in batch:
                        notes.see(record)
        return notes


@dataclass
class Notes:
    """What was said to be stored, and what is."""

    told: dict[tuple[str, int, int], int] = field(default_factory=dict)
    """Checksum by topic, partition and offset; what was found is taken out."""
    noted: int = 0
    changed: int = 0
    repeated: int = 0
    _seen: Counter[str] = field(default_factory=Counter)

    def take(self, path: Path) -> None:
        """Read what one sender noted; its last line may be cut off."""
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text[: text.rfind("\n") + 1].splitlines():
            topic, partition, offset, checksum, *_ = line.split(" ")
            self.told[topic, int(partition), int(offset)] = int(checksum)
            self.noted += 1

    def see(self, record: Record) -> None:
        """Take note of a record that is there."""
        checksum = self.told.pop((record.topic, record.partition, record.offset), None)
        self.changed += checksum is not None and checksum != zlib.crc32(record.value or b"")
        identity, source = record.header("ce_id"), record.header("ce_source")
        if identity is not None:
            name = f"{record.topic} {source!r} {identity!r}"
            self._seen[name] += 1
            self.repeated += self._seen[name] > 1

    @property
    def lost(self) -> int:
        """How many are not there, or not as they were sent."""
        return len(self.told) + self.changed


@contextmanager
def whole_twin(folder: Path, cache: Path, fleet: Scenario, **more: str) -> Iterator[Twin]:
    """Everything, in a folder of its own; `more` are further variables of everybody's environment."""
    with breakable_servers(folder, cache) as servers, crew() as hired:
        settings = Settings(
            kafka=KafkaSettings(bootstrap_servers=servers.bootstrap_servers, telemetry_partitions=PARTITIONS),
            database=DatabaseSettings(url=SecretStr(servers.database_url)),
            twin=TwinSettings(clock=ClockSource.WALL, node_interval_milliseconds=NODE_INTERVAL_MILLISECONDS),
        )
        environment = {
            **outside_environment(),
            "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS": servers.bootstrap_servers,
            "FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS": str(PARTITIONS),
            "FLEETTWIN_DATABASE__URL": servers.database_url,
            "FLEETTWIN_TWIN__NODE_INTERVAL_MILLISECONDS": str(NODE_INTERVAL_MILLISECONDS),
            **more,
        }
        create_topics(settings)
        await_coordinator(settings, "twin")
        with connect(servers.database_url, "faults") as database:
            migrate(database, settings.database.schema_name, server_name(servers.database_url))
        scenario = write_scenario(fleet, folder / "fleet.yaml")
        twin = Twin(servers, hired, settings, environment, folder, scenario, len(fleet.sites))
        twin.hire_all()
        twin.recovered_after(time.time())
        yield twin
