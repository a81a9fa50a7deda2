"""A rival: how it is started, what it reads, and where it leaves its sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rivals.sums import Sums
from benchmarks.rivals.topics import sums_topic
from benchmarks.rivals.workers import Cost, Reading, Worker, measured
from benchmarks.stage import Stage
from infra.topics import full_name


@dataclass(frozen=True, slots=True)
class Rival:
    """One of them."""

    name: str
    reads: str
    """A topic, without the prefix."""
    line: Callable[[Stage], Sequence[str | Path]]
    """The command that starts it; raises `Unavailable` where its program is not here."""
    sums: Callable[[Stage], Sums]
    """What it has come to."""
    prepare: Callable[[Stage], None] = lambda _: None
    """Makes what it needs on the servers beside its topics."""


def run(rival: Rival, stage: Stage, folder: Path) -> Cost:
    """Let a rival read its topic to the end; it may keep state of its own in the folder.

    Raises:
        Unavailable: its program is not here, or does not get to the end.
    """
    line = [str(part) for part in rival.line(stage)]
    rival.prepare(stage)
    kafka = stage.settings.kafka
    group, reads = full_name(kafka, f"rivals.{rival.name}"), full_name(kafka, rival.reads)
    environment = {
        "RIVAL_KAFKA": stage.address,
        "RIVAL_GROUP": group,
        "RIVAL_READINGS": reads,
        "RIVAL_SUMS": full_name(kafka, sums_topic(rival.name)),
        "RIVAL_PARTITIONS": str(kafka.telemetry_partitions),
        "RIVAL_FOLDER": str(folder),
        "RIVAL_DATABASE": stage.database_url,
        "RIVAL_SCHEMA": stage.settings.database.schema_name,
    }
    return measured(stage, [Worker(rival.name, group, line, environment)], [Reading(group, (reads,))])
