"""Sends the inputs of a log again: to the same partitions, in the same order, as somebody at the controls wants it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from infra.kafka_sender import KafkaSender, opened_sender
from infra.settings import Settings
from infra.topics import partition_counts
from models.errors import ConfigurationError
from models.partitioning import placed
from models.record import SENT_AT, Headers, Outgoing, Record
from models.topics import INPUTS
from streams.logs.parts import LogPart
from streams.logs.playback import Command, Playback, Quit, Status

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
    settings: Settings,
    part: LogPart,
    speed: float | None = None,
    desk: Desk | None = None,
    *,
    paused: bool = False,
    tell: Callable[[str], None] = lambda _: None,
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
        tell: Hears of a Kafka that is away, for which records wait as long as the settings say.

    Raises:
        ConfigurationError: a topic is not there, or not with the partitions that the log was recorded from.
        LogDamaged: after what stands before the damage was sent.
        Unavailable: no Kafka answers, or it stops taking records.
    """
    counts = partition_counts(settings, INPUTS)
    check_partitions(part.header.partitions, counts)
    with opened_sender(settings, tell) as sender:
        sending = _Sending(sender)
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
    """Sends records of a log as they were, and counts them."""

    def __init__(self, sender: KafkaSender) -> None:
        self.sent: Counter[str] = Counter(dict.fromkeys(INPUTS, 0))
        self._sender = sender

    def send(self, record: Record) -> None:
        """Send one record. One with neither key nor value, which a producer would not take, goes as empty."""
        value = b"" if record.key is None and record.value is None else record.value
        self._sender.send(
            Outgoing(record.topic, record.key, value, stamped(record), identity="", partition=record.partition)
        )
        self.sent[record.topic] += 1

    def finish(self) -> None:
        """Wait until Kafka has all of them."""
        self._sender.settle()
