"""The Faust app `store`: gathers what the machines put out and writes it, in batches, to TimescaleDB.

The database may be away for as long as it likes: reading stops when enough is waiting, and goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from faust.types import TP

from infra.settings import Settings
from infra.timescale.positions import RowsMissing
from infra.timescale.retention import Retention
from infra.timescale.sink import TimescaleSink, Written
from infra.topics import full_name
from models.errors import ConfigurationError, RecordRefused, Unavailable
from models.instants import instant_of
from models.pipeline import Stage
from models.topics import DEAD_LETTERS, NODES, PIPELINE, SHORTAGES, STATE
from streams.workers.faust_app import assigned_places, commit, follow, new_app
from streams.workers.gathering import Gathering
from streams.workers.giving_up import give_up
from streams.workers.housekeeping import ROLL_UP_SECONDS, Housekeeping
from streams.workers.lanes import record_of
from streams.workers.leaving import LEAVE_SECONDS, end_within
from streams.workers.metering import Meter, Place
from streams.workers.pipeline import metered
from streams.workers.watchdog import Vitals, Watchdog

log = structlog.get_logger()

AGENTS = {
    "store_nodes": NODES,
    "store_states": STATE,
    "store_shortages": SHORTAGES,
    "store_pipeline": PIPELINE,
    **{f"store_{letters}": letters for letters in DEAD_LETTERS},
}

WRITE_SECONDS = 0.5
"""Between two batches."""

REST_SECONDS = 0.25
"""How long a batch waits for the rest of a site's nodes."""

LONGEST_PAUSE_SECONDS = 10.0
"""Between two tries while the database is away."""


@dataclass
class Writer:
    """Writes what was gathered and commits its offsets after that, one batch at a time."""

    app: Any
    settings: Settings
    sink: TimescaleSink
    housekeeping: Housekeeping
    gathering: Gathering = field(default_factory=Gathering)
    meter: Meter = field(init=False)
    read: dict[Place, int] = field(default_factory=dict)
    """The offset after the last record read, of each partition that is ours and had one."""
    newest: int | None = None
    away: bool = False
    """Whether the database did not take the last batch."""
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.meter = metered(self.app, self.settings.kafka, "store", self._position)

    def _position(self, place: Place) -> int | None:
        """Where nothing has been read yet, reading began where the group had got to."""
        known = self.read.get(place)
        if known is not None:
            return known
        topic, partition = place
        # Private, and the only word at hand: Faust's public one asks Kafka and may wait for long.
        begun: Mapping[TP, int | None] = self.app.consumer._committed_offset
        return begun.get(TP(full_name(self.settings.kafka, topic), partition))

    def vitals(self) -> Vitals:
        """How far this worker is, for its watchdog; while the database is away it need not go on."""
        places = assigned_places(self.app.consumer, self.settings.kafka)
        excuse = "the database is away" if self.away else None
        return Vitals({place: self._position(place) for place in places}, excuse)

    async def accept(self, message: Any) -> None:
        """Take a message of Faust's in; waits while too much is waiting to be written."""
        generation = self.app.consumer_generation_id
        while self.gathering.full:
            self._room.clear()
            await self._room.wait()
        if self.app.consumer_generation_id != generation:
            return  # it waited through a rebalance: whoever owns the partition now reads it again
        record = record_of(message, self.settings.kafka)
        begin = min(self._position((record.topic, record.partition)) or 0, record.offset)
        self.read[record.topic, record.partition] = record.offset + 1
        self.meter.read((record.topic, record.partition), len(record.value or b""))
        try:
            self.gathering.add(record, begin)
        except RecordRefused as refused:
            log.warning("a record is none of ours", topic=record.topic, offset=record.offset, why=str(refused))

    async def write(self, *, patient: bool = True) -> None:
        """Write what is waiting; if `patient`, try again until the database takes it."""
        async with self._writing:
            if not self.gathering.records:
                return
            generation, taken, self.gathering = self.app.consumer_generation_id, self.gathering, Gathering()
            self._room.set()
            pause, spans = WRITE_SECONDS, taken.spans(self.settings.kafka.topic_prefix)
            while True:
                try:
                    written = await asyncio.to_thread(self.sink.write, taken.batch(), spans)
                    self.away = False
                    break
                except RowsMissing as gap:
                    give_up("the database was made anew or set back; what it lacks is read again", why=str(gap))
                except Unavailable as away:
                    self.away = True
                    log.warning("the database is away", why=str(away), records=taken.records)
                    if not patient or self.app.consumer_generation_id != generation:
                        return
                    await self.app.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            self._note(taken, written)
            newest = taken.batch().newest
            self.newest = max(self.newest or 0, newest or 0)
            if self.app.consumer_generation_id == generation:
                offsets = {
                    TP(full_name(self.settings.kafka, topic), partition): offset
                    for (topic, partition), offset in taken.positions().items()
                }
                await commit(self.app.consumer, offsets)

    def _note(self, taken: Gathering, written: Written) -> None:
        now = time.time_ns() // 1_000_000
        self.meter.wrote(sum(written.values()))
        self.meter.done(Stage.SITE_ROW, (instant_of(state.tick) for state in taken.sites), now)
        self.meter.done(Stage.NODE_ROW, (frame.tick for frame in taken.nodes), now)
        self.meter.done(Stage.SHORTAGE_ROW, (instant_of(event.at) for event in taken.shortages), now)

    async def on_revoked(self, _app: Any, _revoked: Any, **_: Any) -> None:
        """Forget what is not written: whoever reads these partitions next reads it again."""
        self.gathering = Gathering()
        self.read.clear()
        self._room.set()

    async def on_shutdown(self, _app: Any, **_: Any) -> None:
        """Write what is waiting, if the database takes it at once."""
        await self.write(patient=False)
        await asyncio.to_thread(self.sink.close)
        await self.housekeeping.finish()
        end_within(LEAVE_SECONDS, int(self.app.crashed))


def store_app(settings: Settings, kafka_address: str, database_address: str) -> Any:
    """The app, ready to be started; nothing is connected yet."""
    app = new_app("store", settings.kafka, kafka_address)
    schema = settings.database.schema_name
    housekeeping = Housekeeping(
        TimescaleSink(database_address, schema, "fleettwin store, keeping house"),
        Retention.of(settings.database),
        app.sleep,
    )
    writer = Writer(app, settings, TimescaleSink(database_address, schema), housekeeping)
    app.on_partitions_revoked.connect(writer.on_revoked)
    app.on_before_shutdown.connect(writer.on_shutdown)

    Watchdog(app, settings, writer.vitals).attach()
    follow(app, settings.kafka, AGENTS, writer.accept)

    @app.task
    async def write_batches() -> None:
        while not app.should_stop:
            await app.sleep(WRITE_SECONDS)
            try:
                await writer.gathering.complete(REST_SECONDS)
                await writer.write()
            except ConfigurationError as wrong:
                give_up(str(wrong), exit_code=2)
            except Exception as error:  # noqa: BLE001 - the outermost edge: a batch that is no good must not be skipped
                give_up("a batch could not be written", error=repr(error))

    @app.task
    async def keep_house() -> None:
        while not app.should_stop:
            await app.sleep(ROLL_UP_SECONDS)
            if writer.newest is None:
                continue
            try:
                await housekeeping.keep(writer.newest)
            except Exception as error:  # noqa: BLE001 - the outermost edge: rollups must not stop unnoticed
                give_up("rows could not be rolled up", error=repr(error))

    return app
