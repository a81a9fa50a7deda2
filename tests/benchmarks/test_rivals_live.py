"""A small comparison on real servers: ours, idiomatic Faust and the ceiling read the same and come to the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from benchmarks.processes import Tree
from benchmarks.rivals import ceiling, faust_idiomatic, telegraf
from benchmarks.rivals.comparison import RATIOS, compared
from benchmarks.rivals.readings import Load
from benchmarks.stage import Stage
from infra.embedded.stack import RunningStack
from infra.settings import DatabaseSettings, KafkaSettings, Settings, StackSettings

pytestmark = pytest.mark.servers

LOAD = Load(nodes=200, sites=2, frame_rows=64, seconds=10, single_sites=1, single_seconds=1)
OURSELVES = Tree("servers", os.getpid())
"""The session's servers are children of the tests' own process; here nobody asks which of them works how much."""


@pytest.fixture
def stage(stack: RunningStack, database_url: str, tmp_path: Path) -> Stage:
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=stack.kafka, telemetry_partitions=2),
        database=DatabaseSettings(url=SecretStr(database_url)),
        stack=StackSettings(home=tmp_path),
    )
    return Stage(settings, database_url, OURSELVES, OURSELVES, tmp_path)


def test_contestants_read_the_same_and_come_to_the_same(stage: Stage) -> None:
    comparison = compared(stage, LOAD, (ceiling.RIVAL, telegraf.RIVAL, faust_idiomatic.RIVAL))

    readings = {run.contestant: run.readings for run in comparison.runs}
    assert readings == {"twin": 2_200, "twin and store": 2_200, "ceiling": 2_200, "faust": 200}
    # So little is to be read that a contestant may be done within a step of the processor's clock.
    shown = {run.contestant for run in comparison.runs if run.cpu_seconds > 0}
    compared_with = {name for name, ratio in comparison.ratios.items() if ratio is not None}
    assert compared_with == {name for name, pair in RATIOS.items() if shown.issuperset(pair)}
    assert list(comparison.missing) == ["telegraf"]
