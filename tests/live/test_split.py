"""One log, split between workers and partitions as one likes: states and shortages are those of one process alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from infra.embedded.stack import RunningStack
from infra.recordlog import LogHeader, LogReader, LogWriter
from infra.rules import rules_of
from infra.settings import TwinSettings
from models.catalogue import shipped_catalogue
from models.partitioning import NOT_PLACED, placed
from models.record import Record
from models.scenario import load_scenario
from models.topics import DEMAND, SHORTAGES, SITES, STATE, TELEMETRY
from streams.simulator.clocks import clocked
from streams.simulator.telemetry import telemetry
from tests.live.world import FOLDED, SCENARIO, new_world
from twin.offline import OfflineTwin

START = 1_767_225_600_000
SECONDS = 60


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated minute whose records go by key, so that any number of partitions fits."""
    path = tmp_path_factory.mktemp("split") / "minute.log"
    with LogWriter(path, LogHeader(created_by="test")) as writer:
        for step in clocked(telemetry(load_scenario(str(SCENARIO)), START, seconds=SECONDS), partitions=1):
            for sent in step.records:
                writer.append(Record(sent.topic, NOT_PLACED, NOT_PLACED, step.at, sent.key, sent.value, sent.headers))
    return path


@pytest.fixture(scope="module")
def offline(log: Path) -> dict[str, dict[str, bytes]]:
    """States and shortages by identity, as one process makes them of one partition."""
    twin = OfflineTwin(rules_of(TwinSettings()), shipped_catalogue(), 1)
    made: dict[str, dict[str, bytes]] = {STATE: {}, SHORTAGES: {}}
    for record in records(log):
        for output in twin.fold(record):
            if output.topic in made:
                made[output.topic][output.identity] = output.value or b""
    return made


def records(log: Path) -> Iterator[Record]:
    with LogReader(log) as reader:
        yield from placed(reader, {TELEMETRY: 1, SITES: 1, DEMAND: 1})


@pytest.mark.servers
@pytest.mark.parametrize(
    ("workers", "partitions"),
    [
        pytest.param(1, 1, id="one-worker-one-partition"),
        pytest.param(2, 4, id="two-workers-four-partitions"),
        pytest.param(2, 7, id="two-workers-seven-partitions"),
    ],
)
def test_how_the_work_is_split_does_not_show(
    stack: RunningStack,
    kafka_prefix: str,
    database_url: str,
    tmp_path: Path,
    log: Path,
    offline: dict[str, dict[str, bytes]],
    workers: int,
    partitions: int,
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, partitions=partitions) as world:
        twins = [world.start("twin", name=f"twin-{number}") for number in range(workers)]
        world.wait_until(lambda: world.members("twin") == workers, "every worker has partitions")
        world.told("replay", log)
        world.wait_until(lambda: world.done("twin", *FOLDED), "all is folded")
        world.stop(*twins)
        found = {
            topic: {identity: record.value for identity, record in world.once(topic).items()}
            for topic in (STATE, SHORTAGES)
        }

    assert {orjson.loads(value)["resource"]["kind"] for value in offline[SHORTAGES].values()} >= {
        "accelerators",
        "power",
    }
    assert found == offline
