"""Before the store joins its group: what the database lacks is read again, whatever was committed on Kafka."""

from __future__ import annotations

import time
from collections.abc import Mapping

import structlog

from infra.groups import rewind, worker_positions
from infra.kafka_clients import opened_consumer
from infra.offsets import Place, begins_of
from infra.settings import Settings
from infra.timescale.sink import TimescaleSink
from infra.topics import full_name
from models.errors import Unavailable

log = structlog.get_logger()

LONGEST_PAUSE_SECONDS = 10.0
"""Between two tries while the database is away."""


def resume(settings: Settings, sink: TimescaleSink, counts: Mapping[str, int]) -> Mapping[Place, int]:
    """Have the store's group read on from where the database is; gives the partitions that go back, and to where.

    Waits until the database answers.

    Args:
        settings: Which Kafka.
        sink: Into the database.
        counts: How many partitions each topic has that the store reads.

    Raises:
        Unavailable: no Kafka answers, or another store is at work on a database that lacks rows.
    """
    committed = {
        (full_name(settings.kafka, topic), partition): at
        for (topic, partition), at in worker_positions(settings, "store").items()
    }
    begins = _begins(settings, counts)
    known = _known(sink)  # after what is committed: rows are written first
    back = {}
    for place, begin in begins.items():
        at = committed.get(place)
        if at is not None and known.get(place, begin) < at:
            back[place] = max(known.get(place, begin), begin)
    if back:
        log.warning("the database lacks rows that were written before; reading again", partitions=len(back))
        rewind(settings, "store", back)
    sink.begin(begins)
    return back


def _begins(settings: Settings, counts: Mapping[str, int]) -> Mapping[Place, int]:
    places = [(full_name(settings.kafka, topic), part) for topic, count in counts.items() for part in range(count)]
    with opened_consumer(settings) as consumer:
        return begins_of(consumer, places)


def _known(sink: TimescaleSink) -> Mapping[Place, int]:
    pause = 1.0
    while True:
        try:
            return sink.positions()
        except Unavailable as away:
            log.warning("the database is away", why=str(away))
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
