"""Our own workers, as everybody runs them: the twin, and the store beside it."""

from __future__ import annotations

import sys

from benchmarks.rivals.sums import SiteSum, Sums
from benchmarks.rivals.workers import Cost, Reading, Worker, measured
from benchmarks.stage import Stage
from infra.kafka_clients import opened_consumer
from infra.topics import full_name, partition_counts
from models.ledger import LEDGER_RECORD, Samples
from models.topics import DEMAND, LEDGER, NODES, SHORTAGES, SITES, STATE, TELEMETRY
from streams.logs.topic_reading import read_batches


def run(stage: Stage) -> Cost:
    """Both workers at once, until the twin has folded telemetry and ledger, and the store has written all of it."""
    group = {name: full_name(stage.settings.kafka, name) for name in ("store", "twin")}
    workers = [
        Worker(name, full, [sys.executable, "-m", "cli", name], stage.environment) for name, full in group.items()
    ]

    def reading(worker: str, *topics: str) -> Reading:
        return Reading(group[worker], tuple(full_name(stage.settings.kafka, topic) for topic in topics))

    until = (
        reading("twin", TELEMETRY, SITES, DEMAND),
        reading("twin", LEDGER),
        reading("store", NODES, STATE, SHORTAGES),
    )
    return measured(stage, workers, until)


def sums(stage: Stage) -> Sums:
    """Those of the samples in the ledger."""
    found = {}
    with opened_consumer(stage.settings) as consumer:
        for batch in read_batches(consumer, stage.settings.kafka, partition_counts(stage.settings, [LEDGER])):
            for record in batch:
                said = LEDGER_RECORD.validate_json(record.value or b"")
                if isinstance(said, Samples):
                    for sample in said.samples:
                        found[sample.site, sample.tick] = SiteSum(sample.nodes.reporting, sample.power.total)
    return found
