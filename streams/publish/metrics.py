"""What Prometheus scrapes of a publisher: its own work, by endpoint and not by node."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    start_http_server,
)

from models.errors import ConfigurationError
from streams.publish.folding import Told

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class PublishMetrics:
    """One publisher's registry.

    Args:
        source: Its name.
        clock: Seconds, for ages.
    """

    def __init__(self, source: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        self._clock, self._success = clock, clock()
        ProcessCollector(registry=self.registry)
        build = Info("fleettwin_publish_build", "Which program this is.", registry=self.registry)
        build.info({"version": version("fleettwin"), "source": source})
        self._readings = self._counter("readings", "Readings that Kafka has taken.")
        self._beats = self._counter("beats", "Times that the source was asked.")
        self._overruns = self._counter("overruns", "Beats that were skipped, since the one before took too long.")
        self._failures = Counter(
            "fleettwin_publish_failures", "What failed or made no sense.", ["endpoint"], registry=self.registry
        )
        self._missing = Counter(
            "fleettwin_publish_missing",
            "Measures that a source asked a node for and did not get.",
            ["measure"],
            registry=self.registry,
        )
        self._dropped = self._counter("spool_dropped_records", "Records that are lost: the spool was full.")
        self._dropped_readings = self._counter("spool_dropped_readings", "Readings in those records.")
        self._records = self._gauge("spool_records", "Records that wait for Kafka.")
        self._bytes = self._gauge("spool_bytes", "Bytes that wait for Kafka.")
        self._seconds = Histogram(
            "fleettwin_publish_sample_seconds",
            "How long the source took.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        age = self._gauge("success_age_seconds", "Since the source last gave a reading; since the start, if never.")
        age.set_function(lambda: self._clock() - self._success)

    def sampled(self, seconds: float, told: Told) -> None:
        """Count a beat."""
        self._beats.inc()
        self._seconds.observe(seconds)
        if told.readings:
            self._success = self._clock()
        for failure in told.failures:
            self._failures.labels(failure.endpoint).inc()
        for measures in told.missing.values():
            for measure in measures:
                self._missing.labels(measure).inc()

    def overrun(self, beats: int) -> None:
        """Count beats that were skipped."""
        self._overruns.inc(beats)

    def sent(self, readings: int) -> None:
        """Count the readings of a record that Kafka has taken."""
        self._readings.inc(readings)

    def dropped(self, records: int, readings: int) -> None:
        """Count records that are lost."""
        self._dropped.inc(records)
        self._dropped_readings.inc(readings)

    def watch(self, records: Callable[[], float], size: Callable[[], float]) -> None:
        """Have the spool say how full it is whenever somebody asks."""
        self._records.set_function(records)
        self._bytes.set_function(size)

    def serve(self, host: str, port: int) -> Callable[[], None]:
        """Answer at `/metrics`; what is returned ends that.

        Raises:
            ConfigurationError: the port is taken, or the address is none of ours.
        """
        try:
            server, thread = start_http_server(port, host, registry=self.registry)
        except OSError as error:
            raise ConfigurationError("--metrics-port", f"{host}:{port}", f"a free address ({error.strerror})") from None

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end

    def _counter(self, name: str, about: str) -> Counter:
        return Counter(f"fleettwin_publish_{name}", about, registry=self.registry)

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(f"fleettwin_publish_{name}", about, registry=self.registry)
