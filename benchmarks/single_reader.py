"""A process that reads all of the telemetry topic, as an empty Faust agent or as the whole twin, and says what it took.

    python -m benchmarks.single_reader empty|bursts|twin RECORDS FILE

Its settings come from the environment. It goes on running, like any worker, until it is ended.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import faust
import orjson
from faust.transport.drivers import by_url

from infra.settings import Settings, read_settings
from models.catalogue import shipped_catalogue
from models.topics import TELEMETRY
from streams.workers.faust_app import follow, new_app
from streams.workers.running import run_app
from streams.workers.twin_app import twin_worker

LOOK_AGAIN_SECONDS = 0.02


class Reader(StrEnum):
    """Who reads."""

    EMPTY = "empty"
    """An agent that does nothing, on Faust as it comes, with our settings."""
    BURSTS = "bursts"
    """The same in an app of ours (`streams.workers.bursts`)."""
    TWIN = "twin"


@dataclass(frozen=True, slots=True)
class Reading:
    """From the first records that were seen to be read, to the last; CPU time is that of all threads."""

    readings_per_second: float
    cpu_seconds_per_million: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("reader", type=Reader)
    options.add_argument("records", type=int)
    options.add_argument("told", type=Path)
    asked = options.parse_args()
    settings = read_settings()
    match asked.reader:
        case Reader.EMPTY:
            app = _empty(_as_it_comes(_app("empty", settings)), settings, asked.records, asked.told)
        case Reader.BURSTS:
            app = _empty(_app("bursts", settings), settings, asked.records, asked.told)
        case Reader.TWIN:
            app = _twin(settings, asked.records, asked.told)
    run_app(app)


def _app(name: str, settings: Settings) -> Any:
    return new_app(name, settings.kafka, str(settings.kafka.bootstrap_servers))


def _as_it_comes(app: Any) -> Any:
    """With Faust's own stream and consumer in place of ours; all settings stay."""
    brokers = app.conf.broker_consumer
    app.conf.Stream, app.transport = faust.Stream, by_url(brokers[0])(brokers, app)
    return app


def _empty(app: Any, settings: Settings, records: int, told: Path) -> Any:
    read = 0

    async def pass_by(_message: Any) -> None:
        nonlocal read
        read += 1

    async def nothing() -> None:
        """There is nothing to store."""

    follow(app, settings.kafka, {"empty_agent": TELEMETRY}, pass_by)
    _measure(app, records, lambda: read, nothing, told)
    return app


def _twin(settings: Settings, records: int, told: Path) -> Any:
    worker = twin_worker(settings, str(settings.kafka.bootstrap_servers), shipped_catalogue())
    places = [(TELEMETRY, partition) for partition in range(settings.kafka.telemetry_partitions)]

    def read() -> int:
        return sum(worker.lanes.position(place) or 0 for place in places)

    _measure(worker.app, records, read, worker.lanes.store_all, told)
    return worker.app


def _measure(app: Any, records: int, read: Callable[[], int], store: Callable[[], Awaitable[None]], told: Path) -> None:
    """Give the app a task that looks every now and then how far it is, and writes down what the whole of it took."""

    @app.task  # type: ignore[untyped-decorator]  # Faust's decorators have no types
    async def look() -> None:
        while not read():
            await app.sleep(LOOK_AGAIN_SECONDS)
        already, begun, used = read(), time.monotonic(), time.process_time()
        while read() < records:
            await app.sleep(LOOK_AGAIN_SECONDS)
        await store()
        taken, seconds, cpu = records - already, time.monotonic() - begun, time.process_time() - used
        found = Reading(readings_per_second=taken / seconds, cpu_seconds_per_million=cpu / taken * 1e6)
        unready = told.with_suffix(".part")
        unready.write_bytes(orjson.dumps(asdict(found)))
        unready.rename(told)


if __name__ == "__main__":
    main()
