"""Readings faster than any simulator makes them: frames that are made once, and sent over and over with other times."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.settings import KafkaSettings
from infra.topics import full_name
from models.clock import Clock
from models.cloudevents import ARROW, EventType, headers
from models.frame import encode_frame
from models.instants import moment_of
from models.topics import DEMAND, SITES, TELEMETRY

if TYPE_CHECKING:
    from kafka import KafkaProducer

FRAME_ROWS = 1024
_PLACEHOLDER = 1_234_567_890_123
"""A time that nothing else in a frame is like."""
_MOST_WAITING_BYTES = 32 * 1024 * 1024
_PATIENCE_SECONDS = 60.0


@dataclass
class Burst:
    """A fleet of nodes with eight H100 each; a round is a reading of every node."""

    nodes: int
    sites: int
    _frames: list[tuple[str, bytearray, int, int]] = field(init=False)
    """Site, frame, where its times begin, how many there are."""

    def __post_init__(self) -> None:
        self._frames = [self._made(site, first) for site in range(self.sites) for first in self._firsts()]

    @property
    def frames(self) -> int:
        """How many a round has."""
        return len(self._frames)

    def round(self, at: int) -> Iterator[tuple[str, bytes]]:
        """The site and the frame of each record, all measured at that time."""
        for site, frame, begin, rows in self._frames:
            frame[begin : begin + 8 * rows] = at.to_bytes(8, "little") * rows
            yield site, bytes(frame)

    def _firsts(self) -> range:
        return range(0, math.ceil(self.nodes / self.sites), FRAME_ROWS)

    def _made(self, site: int, first: int) -> tuple[str, bytearray, int, int]:
        name = f"burst-{site:03}"
        last = min(first + FRAME_ROWS, self.nodes // self.sites + (site < self.nodes % self.sites))
        rows = last - first
        columns = {
            "node": [f"n{number:06}" for number in range(first, last)],
            "type": ["h100-sxm"] * rows,
            "at": [_PLACEHOLDER] * rows,
            "sequence": [0] * rows,
            "installed": [8] * rows,
            "in_service": [8] * rows,
            "allocated": [8] * rows,
            "power_watts": [5000.0 + number % 1000 for number in range(first, last)],
            "utilization": [0.5] * rows,
        }
        frame = bytearray(encode_frame(name, columns))
        return name, frame, frame.index(_PLACEHOLDER.to_bytes(8, "little") * rows), rows


@dataclass
class Sending:
    """Sends rounds and clocks, with a bound on what waits: the producer itself has none."""

    producer: KafkaProducer
    kafka: KafkaSettings
    readings: int = 0
    """Sent so far."""
    _waiting: deque[tuple[Any, int]] = field(default_factory=deque)
    _waiting_bytes: int = 0

    def send_round(self, burst: Burst, at: int) -> None:
        """A reading of every node at that time."""
        for site, frame in burst.round(at):
            named = headers(EventType.FRAME, "//fleettwin/burst", f"{site}@{at}", at, ARROW)
            self._send(TELEMETRY, frame, site.encode(), list(named), None)
        self.readings += burst.nodes

    def send_clock(self, until: int) -> None:
        """The clock into every partition of the inputs."""
        value = Clock(until=moment_of(until)).model_dump_json().encode()
        for topic, count in ((TELEMETRY, self.kafka.telemetry_partitions), (SITES, 1), (DEMAND, 1)):
            for partition in range(count):
                named = headers(EventType.CLOCK, "//fleettwin/burst", f"{topic}/{partition}@{until}", until)
                self._send(topic, value, None, list(named), partition)

    def settle(self) -> None:
        """Wait until Kafka has all of it."""
        self.producer.flush()
        while self._waiting:
            self._settle_oldest()

    def _send(
        self, topic: str, value: bytes, key: bytes | None, named: list[tuple[str, bytes]], partition: int | None
    ) -> None:
        name = full_name(self.kafka, topic)
        self._waiting.append((self.producer.send(name, value, key, named, partition), len(value)))
        self._waiting_bytes += len(value)
        while self._waiting_bytes > _MOST_WAITING_BYTES:
            self._settle_oldest()

    def _settle_oldest(self) -> None:
        future, size = self._waiting.popleft()
        future.get(timeout=_PATIENCE_SECONDS)
        self._waiting_bytes -= size
