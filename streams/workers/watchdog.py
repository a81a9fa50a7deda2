"""Ends a worker that makes no progress although there is something to read: its supervisor starts it anew.

A thread of its own looks, which goes on when the event loop is blocked. What there is to read, and whether the worker
is in its group at all, it asks Kafka itself: a consumer that has stopped fetching, or was thrown out, does not know.
"""

from __future__ import annotations

import faulthandler
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog

from infra.groups import clients_of
from infra.kafka_clients import opened_admin, opened_consumer
from infra.offsets import ends_of
from infra.settings import Settings
from infra.topics import full_name
from models.errors import ConfigurationError, Unavailable
from streams.workers.giving_up import give_up
from streams.workers.metering import Place

if TYPE_CHECKING:
    from kafka import KafkaAdminClient, KafkaConsumer

log = structlog.get_logger()
_T = TypeVar("_T")

_READ_MILLISECONDS = 5_000

BEAT_SECONDS = 1.0
"""How often the event loop says that it lives."""

LOOKS = 12
"""In a row without progress until a worker is stuck. They are counted rather than timed: a machine that slept, or a
process that was stopped for a while, has time to go on."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a worker says of itself."""

    positions: Mapping[Place, int | None]
    """The next offset to be read, of each partition that is assigned to it."""
    excuse: str | None = None
    """Why it need not make progress; none where it must."""


class Broker(Protocol):
    """What a judge asks of Kafka; nothing is said of what cannot be told."""

    def ends(self, places: Collection[Place]) -> Mapping[Place, int]:
        """The offset after the last record of each."""
        ...

    def has_more(self, place: Place, offset: int) -> bool:
        """Whether there is a record from this offset on; offsets of a sender's transactions are none."""
        ...

    def is_member(self) -> bool | None:
        """Whether the worker is in its consumer group."""
        ...


@dataclass
class Judge:
    """Counts looks in a row that saw no progress."""

    broker: Broker
    _beat: int = 0
    _vitals: Vitals = field(default_factory=lambda: Vitals({}))
    _blocked: int = 0
    _outside: int = 0
    _stuck: Mapping[Place, int] = field(default_factory=dict)

    def look(self, beat: int, vitals: Vitals) -> str | None:
        """Look once; tells what is wrong, if anything has been for too long.

        Args:
            beat: How often the event loop has said that it lives; 0 before it has begun.
            vitals: What it said last.
        """
        before, was = self._vitals, self._beat
        self._beat, self._vitals = beat, vitals
        self._blocked = self._blocked + 1 if beat == was and beat else 0
        if self._blocked:
            return "its event loop is blocked" if self._blocked >= LOOKS else None
        self._outside = self._outside + 1 if beat and self.broker.is_member() is False else 0
        if self._outside:
            return "it is not in its consumer group, and does not come back" if self._outside >= LOOKS else None
        still = [place for place, at in vitals.positions.items() if before.positions.get(place, -1) == at]
        ends = self.broker.ends(still) if still and vitals.excuse is None else {}
        behind = {place: end for place, end in ends.items() if (vitals.positions[place] or 0) < end}
        self._stuck = {place: self._stuck.get(place, 0) + 1 for place in behind}
        for place, looks in self._stuck.items():
            at = vitals.positions[place] or 0
            if looks >= LOOKS and self.broker.has_more(place, at):
                topic, partition = place
                return f"it does not go on with partition {partition} of {topic}, at offset {at} of {behind[place]}"
        return None


class Watchdog:
    """Watches one worker from a thread, from its first assignment on.

    Args:
        app: The Faust app.
        settings: Which Kafka; `workers.stalled_after_seconds` is how long it may stand still.
        vitals: Asked in the app's loop.
    """

    def __init__(self, app: Any, settings: Settings, vitals: Callable[[], Vitals]) -> None:
        self._app, self._settings, self._ask = app, settings, vitals
        self._beat, self._vitals = 0, Vitals({})
        self._ended = threading.Event()

    def attach(self) -> None:
        """Watch for as long as the app runs."""

        async def beat() -> None:
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
            try:
                while not self._app.should_stop:
                    self._vitals = self._ask()
                    self._beat += 1
                    await self._app.sleep(BEAT_SECONDS)
            finally:
                self._ended.set()

        self._app.task(beat)

    def _watch(self) -> None:
        with ExitStack() as connections:
            conf = self._app.conf
            judge = Judge(_Asked(self._settings, conf.id, conf.broker_client_id, connections))
            while not self._ended.wait(self._settings.workers.stalled_after_seconds / LOOKS):
                wrong = judge.look(self._beat, self._vitals)
                if wrong is not None:
                    faulthandler.dump_traceback()
                    give_up("this worker is stuck and ends, to be started anew", why=wrong)


@dataclass
class _Asked:
    """Asks by connections that are made when they are first needed, and again after one was lost."""

    settings: Settings
    group: str
    client: str
    connections: ExitStack
    _admin: KafkaAdminClient | None = None
    _consumer: KafkaConsumer | None = None

    def ends(self, places: Collection[Place]) -> Mapping[Place, int]:
        """The offset after the last record of each; nothing where Kafka does not answer."""
        named = {(full_name(self.settings.kafka, topic), partition): (topic, partition) for topic, partition in places}
        found = self._asked(lambda: ends_of(self._reading(), named))
        return {named[place]: end for place, end in (found or {}).items()}

    def has_more(self, place: Place, offset: int) -> bool:
        """Whether a record can be read from there on."""

        def read() -> bool:
            from kafka import TopicPartition  # noqa: PLC0415  # slow to import

            consumer, (topic, partition) = self._reading(), place
            there = TopicPartition(full_name(self.settings.kafka, topic), partition)
            consumer.assign([there])
            consumer.seek(there, offset)
            return bool(consumer.poll(timeout_ms=_READ_MILLISECONDS, max_records=1))

        return bool(self._asked(read))

    def is_member(self) -> bool | None:
        """Whether a member of the group has this worker's client name."""
        clients = self._asked(lambda: clients_of(self._administering(), self.group))
        return None if clients is None else self.client in clients

    def _reading(self) -> KafkaConsumer:
        if self._consumer is None:
            self._consumer = self.connections.enter_context(opened_consumer(self.settings))
        return self._consumer

    def _administering(self) -> KafkaAdminClient:
        if self._admin is None:
            self._admin = self.connections.enter_context(opened_admin(self.settings))
        return self._admin

    def _asked(self, question: Callable[[], _T]) -> _T | None:
        from kafka.errors import KafkaError  # noqa: PLC0415  # slow to import

        try:
            return question()
        except (KafkaError, Unavailable, ConfigurationError) as away:  # who is turned away ends by `stay_welcome`
            log.info("the watchdog cannot ask Kafka", why=str(away))
            self.connections.close()
            self._admin = self._consumer = None
            return None
