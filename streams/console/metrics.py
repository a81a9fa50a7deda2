"""What Prometheus scrapes: the worker's own work, without names of sites, nodes or people."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.console.live import LiveFleet

DELAY_BUCKETS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds."""

Lag = Callable[[], Mapping[tuple[str, int], int | None]]
"""Records still to be folded, by topic and partition; none where Kafka has not said where the partition ends."""


class Metrics:
    """The worker's registry, with the process beside what is ours."""

    def __init__(self, live: LiveFleet, lag: Lag) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(_Standing(live, lag))
        self.delay = Histogram(
            "fleettwin_site_state_delay_seconds",
            "From the end of a tick to the site's state being stored in Kafka, of every site of the fleet.",
            registry=self.registry,
            buckets=DELAY_BUCKETS,
        )


@dataclass(frozen=True)
class _Standing(Collector):
    """What is read when it is asked for."""

    live: LiveFleet
    lag: Lag

    def collect(self) -> Iterator[Metric]:
        """Shortages, lag and listeners."""
        short = GaugeMetricFamily(
            "fleettwin_open_shortages", "Shortages that are open.", labels=("resource", "severity")
        )
        standing = self.live.watch.open_shortages
        for (resource, severity), count in Tally((one.resource.kind, str(one.severity)) for one in standing).items():
            short.add_metric((resource, severity), count)
        yield short
        behind = GaugeMetricFamily(
            "fleettwin_lag_records", "Records that this worker has still to fold.", labels=("topic", "partition")
        )
        for (topic, partition), records in self.lag().items():
            if records is not None:
                behind.add_metric((topic, str(partition)), records)
        yield behind
        yield GaugeMetricFamily(
            "fleettwin_console_listeners", "Who listens to the console's events.", self.live.feed.listeners
        )
