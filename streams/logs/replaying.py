"""Sends the inputs of a log again: to the same partitions, in the same order, as somebody at the controls wants it."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from infra.kafka_clients import opened_producer
from infra.settings import Settings
from infra.topics import full_name, partition_counts
from models.errors import ConfigurationError
from models.partitioning import placed
from models.record import SENT_AT, Headers, Record
from models.topics import INPUTS
from streams.logs.parts import LogPart
from streams.logs.playback import Command, Playback, Quit, Status

if TYPE_CHECKING:
    from kafka import KafkaProducer

_MOST_WAITING_BYTES = 32 * 1024 * 1024
_MOST_WAITING = 20_000
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.1
"""How often the controls are looked at while there is much to send."""


class Desk(Protocol):
    """Whoever sits at the controls."""

    def look(self, seconds: float | None, *, stepping: bool) -> Command | None:
        """Wait for a command, for so long or, with none, for ever; `stepping` says that a step is under way."""

    def show(self, status: Status, sent: int) -> None:
        """Be told where the log stands, several times a second; in a pause Kafka has all that was sent."""


class Unattended:
    """Nobody: the log is played to its end, or until an event is set."""

    def __init__(self, stop: Event | None = None) -> None:
        self._stop = stop or Event()

    def look(self, seconds: float | None, *, stepping: bool) -> Command | None:  # noqa: ARG002  # as a `Desk`
        """The only command is to end."""
        return Quit() if self._stop.wait(seconds) else None

    def show(self, status: Status, sent: int) -> None:
        """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay has sent."""

    sent: Counter[str]
    """Records by topic, without the prefix."""
    words_before: int
    """How many of them were said before the part and hold on."""
    go_on_from: int | None
    """The time from which on a replay sends the rest; none where nothing is left."""


def send_log(
    settings: Settings, part: LogPart, speed: float | None = None, desk: Desk | None = None, *, paused: bool = False
) -> Replayed:
    """Send the inputs of a log, or of a part of it, to the topics that the settings name.

    Each record is as it was, with when it was first sent in a header. Within each partition the order is the log's.
    What people said before the part goes first, at once.

    Args:
        settings: Where Kafka is.
        part: The log, and what of it.
        speed: Seconds of the log in a second; none means as fast as Kafka takes it.
        desk: Who may change that on the way; nobody, unless given.
        paused: Whether it begins with a pause.

    Raises:
        ConfigurationError: a topic is not there, or not with the partitions that the log was recorded from.
        LogDamaged: after what stands before the damage was sent.
        Unavailable: no Kafka answers, or it stops taking records.
    """
    counts = partition_counts(settings, INPUTS)
    check_partitions(part.header.partitions, counts)
    with opened_producer(settings) as producer:
        sending = _Sending(producer, {topic: full_name(settings.kafka, topic) for topic in INPUTS})
        for record in placed(part.words_before(), counts):
            sending.send(record)
        words = sending.sent.total()
        playback = Playback(placed(part.inputs(), counts), speed, paused=paused)
        _play(playback, sending, desk or Unattended())
        sending.finish()
    return Replayed(sending.sent, words, playback.left_from())


def check_partitions(recorded: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Make sure that the topics are partitioned as they were when the log was recorded.

    Raises:
        ConfigurationError: one is not.
    """
    for topic, count in found.items():
        if recorded.get(topic, count) != count:
            expected = f"{recorded[topic]}, as in the log"
            raise ConfigurationError(f"the number of partitions of {topic}", count, expected)


def stamped(record: Record) -> Headers:
    """The record's headers with when it was first sent among them."""
    if record.header(SENT_AT) is not None:
        return record.headers
    return (*record.headers, (SENT_AT, b"%d" % record.timestamp))


def _play(playback: Playback, sending: _Sending, desk: Desk) -> None:
    """Send what is due, and follow what the desk says."""
    looked = time.monotonic()
    while not playback.ended:
        now = time.monotonic()
        record = playback.due(now)
        if record is not None:
            sending.send(record)
        if record is None or now - looked > _LOOK_SECONDS:
            status = playback.status(now)
            if record is None and status.paused:
                sending.finish()
            desk.show(status, sending.sent.total())
            command = desk.look(0.0 if record is not None else playback.wait(now), stepping=playback.stepping)
            looked = time.monotonic()
            if command is not None:
                playback.take(command, looked)


class _Sending:
    """Sends records and waits for the oldest where too many are on their way: the producer itself has no limit."""

    def __init__(self, producer: KafkaProducer, names: Mapping[str, str]) -> None:
        self.sent: Counter[str] = Counter(dict.fromkeys(names, 0))
        self._producer, self._names = producer, names
        self._waiting: deque[tuple[Any, int]] = deque()
        self._waiting_bytes = 0

    def send(self, record: Record) -> None:
        """Hand one record to the producer. One with neither key nor value, which it would not take, goes as empty."""
        value = b"" if record.key is None and record.value is None else record.value
        future = self._producer.send(
            self._names[record.topic],
            value=value,
            key=record.key,
            headers=list(stamped(record)),
            partition=record.partition,
        )
        self._waiting.append((future, len(value or b"")))
        self._waiting_bytes += len(value or b"")
        self.sent[record.topic] += 1
        while self._waiting_bytes > _MOST_WAITING_BYTES or len(self._waiting) > _MOST_WAITING:
            self._settle_oldest()

    def finish(self) -> None:
        """Wait until Kafka has all of them."""
        self._producer.flush(_PATIENCE_SECONDS)
        while self._waiting:
            self._settle_oldest()

    def _settle_oldest(self) -> None:
        future, size = self._waiting.popleft()
        future.get(timeout=_PATIENCE_SECONDS)
        self._waiting_bytes -= size
