"""What Prometheus scrapes: the worker's own work, without names of sites, nodes or people."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from models.record import Outgoing, Record
from models.topics import dead_letters
from streams.console.live import LiveFleet

DELAY_BUCKETS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds."""

Lag = Callable[[], Mapping[tuple[str, int], int | None]]
"""Records still to be folded, by topic and partition; none where Kafka has not said where the partition ends."""

_DEAD = dead_letters("")
_REASON = "__streams.errors.exception"


class Metrics:
    """The worker's registry, with the process beside what is ours."""

    def __init__(self, live: LiveFleet, lag: Lag) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(_Standing(live, lag))
        self._records = Counter(
            "fleettwin_records",
            "Records of each topic that this worker has folded, put out, or refused whole or in part.",
            ["topic", "result"],
            registry=self.registry,
        )
        self._dead_letters = Counter(
            "fleettwin_dead_letters",
            "Records that were refused whole or in part, by the reason's code.",
            ["topic", "reason"],
            registry=self.registry,
        )
        delay = Histogram(
            "fleettwin_site_state_delay_seconds",
            "From the end of a tick to the site's state being stored in Kafka, of every site of the fleet.",
            registry=self.registry,
            buckets=DELAY_BUCKETS,
        )
        live.on_site_state = delay.observe

    def folded(self, record: Record) -> None:
        """Count a record that was folded."""
        self._records.labels(record.topic, "folded").inc()

    def sent(self, output: Outgoing) -> None:
        """Count a record that was put out; a dead letter counts for the topic that its record came from."""
        if not output.topic.endswith(_DEAD):
            self._records.labels(output.topic, "sent").inc()
            return
        topic = output.topic.removesuffix(_DEAD)
        reason = next((value for name, value in reversed(output.headers) if name == _REASON), b"unknown")
        self._records.labels(topic, "refused").inc()
        self._dead_letters.labels(topic, reason.decode(errors="replace")).inc()

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


class _Standing(Collector):
    """What is read when it is asked for."""

    def __init__(self, live: LiveFleet, lag: Lag) -> None:
        self._live, self._lag = live, lag

    def collect(self) -> Iterator[Metric]:
        """Shortages, lag and listeners."""
        short = GaugeMetricFamily(
            "fleettwin_open_shortages", "Shortages that are open.", labels=("resource", "severity")
        )
        standing = self._live.watch.open_shortages
        for (resource, severity), count in Tally((one.resource.kind, str(one.severity)) for one in standing).items():
            short.add_metric((resource, severity), count)
        yield short
        behind = GaugeMetricFamily(
            "fleettwin_lag_records", "Records that this worker has still to fold.", labels=("topic", "partition")
        )
        for (topic, partition), records in sorted(self._lag().items()):
            if records is not None:
                behind.add_metric((topic, str(partition)), records)
        yield behind
        yield GaugeMetricFamily(
            "fleettwin_console_listeners", "Who listens to the console's events.", self._live.feed.listeners
        )
