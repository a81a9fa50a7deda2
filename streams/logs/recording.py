"""Records topics into a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from infra.kafka_clients import opened_consumer
from infra.recordlog import LogHeader, LogWriter
from infra.rules import rules_of
from infra.settings import Settings
from infra.topics import partition_counts
from models.topics import DEMAND, LEDGER, SHORTAGES, SITES, STATE, TELEMETRY
from streams.logs.topic_reading import read_batches

RECORDED = (TELEMETRY, SITES, DEMAND, LEDGER, STATE, SHORTAGES)
"""What is recorded unless other topics are named: what came in, and what the twin made of it."""


def record_topics(
    settings: Settings,
    path: Path,
    topics: Collection[str] = RECORDED,
    *,
    from_beginning: bool = True,
    follow: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Counter[str]:
    """Write the records of these topics into a new log, and count them by topic.

    Args:
        settings: Where Kafka is, and what the log's header says of the twin's rules.
        path: The log to make.
        topics: Names without the prefix.
        from_beginning: From the first record that Kafka still has; else from now on.
        follow: Go on at the topics' ends, until stopped.
        stopped: Asked several times a second; once it says yes, the log is closed.

    Raises:
        ConfigurationError: a topic is not there, or the log is.
        Unavailable: no Kafka answers, or it stops giving records.
    """
    partitions = partition_counts(settings, topics)
    header = LogHeader(
        created_by=f"fleettwin {version('fleettwin')} record",
        partitions=partitions,
        rules=asdict(rules_of(settings.twin)),
    )
    counts = Counter(dict.fromkeys(topics, 0))
    with opened_consumer(settings) as consumer, LogWriter(path, header) as log:
        batches = read_batches(consumer, settings.kafka, partitions, from_beginning=from_beginning, follow=follow)
        for batch in batches:
            for record in batch:
                log.append(record)
                counts[record.topic] += 1
            if follow:
                log.flush()
            if stopped():
                break
    return counts
