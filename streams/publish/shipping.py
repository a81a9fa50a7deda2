"""Takes records from the spool to Kafka in a thread of its own: whoever measures never waits for Kafka."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Protocol

import structlog

from models.errors import ConfigurationError, FleettwinError, Unavailable
from models.topics import TELEMETRY
from streams.publish.aside import Aside
from streams.publish.metrics import PublishMetrics
from streams.publish.spool import Spool, Waiting

log = structlog.get_logger()

WINDOW_BYTES = 8 * 1024 * 1024
"""That are on their way at a time."""

REFUSALS = 2
"""So many in a row are meant, once a record was taken: while a password is changed, one may be none."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds."""

    look: float = 0.25
    """Between two looks at what others do."""
    silence: float = 5.0
    """After so long without an answer Kafka is asked whether it would still let us in."""
    retry: tuple[float, ...] = (1.0, 2.0, 5.0)
    """Between attempts to connect; the last one again and again."""
    finish: float = 5.0
    """For what waits when the publisher ends; what is left then goes at its next start."""


class Answer(Protocol):
    """What is used of kafka-python's future of a record."""

    is_done: bool
    exception: Exception | None

    def get(self, timeout: float) -> object:
        """Wait for it; KafkaError where it failed, or did not come in time."""


class Producer(Protocol):
    """What is used of kafka-python's."""

    def send(self, topic: str, *, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> Any:
        """Take a record on its way; an `Answer`."""


@dataclass(frozen=True, slots=True)
class Kafka:
    """How Kafka is reached."""

    prefix: str
    """Of every topic."""
    connect: Callable[[], AbstractContextManager[Producer]]
    """ConfigurationError where Kafka does not let us in, Unavailable where it does not answer."""
    greet: Callable[[], None]
    """Asks whether Kafka would let us in, with the same errors."""


Sent = list[tuple[Waiting, Answer]]


@dataclass
class Shipping:
    """Ships what is in the spool; when that cannot go on, `refusal` is set to why, and `ended` called."""

    kafka: Kafka
    spool: Spool
    metrics: PublishMetrics
    ended: Callable[[], None] = lambda: None
    patience: Patience = field(default_factory=Patience)
    refusal: FleettwinError | None = None
    _aside: Aside = field(default_factory=Aside)
    _stop: Event = field(default_factory=Event)
    _away_since: float | None = None
    _taken: bool = False
    """Whether Kafka has ever taken a record of ours."""
    _refusals: int = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ship for as long as the context lasts, and then what is left, unless Kafka is away."""
        thread = Thread(target=self._run, name="shipping", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.await_empty(thread.is_alive, self.patience.finish)
            self._stop.set()
            self.spool.close()
            thread.join()

    def await_empty(self, goes_on: Callable[[], bool], seconds: float) -> bool:
        """Wait until nothing is left to be sent, or Kafka is away or refuses; says whether nothing is left."""
        deadline = time.monotonic() + seconds
        while self.spool.fill.records and self.refusal is None and self._away_since is None and goes_on():
            if self._stop.wait(self.patience.look / 10) or time.monotonic() > deadline:
                break
        return not self.spool.fill.records

    def _run(self) -> None:
        attempts = 0
        while not self._stop.is_set():
            try:
                with self.kafka.connect() as producer:
                    attempts = 0
                    self._ship(producer)
            except Unavailable as away:
                self._tell_away(str(away))
            except ConfigurationError as refused:
                self._refusals += 1
                if not self._taken or self._refusals == REFUSALS:
                    self._end(refused)
                    return
                log.warning("Kafka would not let this publisher in again", why=str(refused))
            except Exception as error:  # noqa: BLE001  # the edge of the thread: nobody else would hear of it
                self._end(Unavailable("sending to Kafka", f"{type(error).__name__}: {error}", "Start it anew"))
                return
            self._stop.wait(self.patience.retry[min(attempts, len(self.patience.retry) - 1)])
            attempts += 1

    def _end(self, refusal: FleettwinError) -> None:
        self.refusal = refusal
        self.ended()

    def _ship(self, producer: Producer) -> None:
        """Window after window, until told to stop.

        Raises:
            Unavailable: we are told to stop, and Kafka has not answered; leaving its producer in peace would wait.
        """
        while not self._stop.is_set():
            lent = self.spool.lend(WINDOW_BYTES, self._aside.topics)
            if not lent:
                self.spool.await_records(self.patience.look)
                if self.spool.fill.records:  # of topics that are set aside
                    self._stop.wait(self.patience.look)
                continue
            sent: Sent = []
            try:
                self._send(producer, lent, sent)
                self._await_answers(sent)
            finally:
                self._return([one for one, answer in sent if self._is_over(one, answer)])
            if not all(answer.is_done for _, answer in sent):
                raise Unavailable("Kafka", "it has not answered", "What was sent is sent again")

    def _send(self, producer: Producer, lent: Sequence[Waiting], sent: Sent) -> None:
        """Hand the records over, but for those of a topic that turns out not to be writable."""
        from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError  # noqa: PLC0415  # slow to import
        from kafka.future import Future  # noqa: PLC0415  # the same

        for one in lent:
            parcel = one.parcel
            if parcel.topic in self._aside.topics:
                continue
            name = self.kafka.prefix + parcel.topic
            try:
                answer = producer.send(name, value=parcel.value, key=parcel.key, headers=list(parcel.headers))
            except MessageSizeTooLargeError as error:
                answer = Future().failure(error)
            except KafkaTimeoutError:
                if not self._answers():
                    return  # what has been sent is waited for, in peace: another producer would send it once more
                self._aside.put(parcel.topic, "Kafka has no such topic, or no leader of it; `fleettwin topics create`")
                continue
            sent.append((one, answer))

    def _await_answers(self, sent: Sent) -> None:
        """Wait until Kafka has said something of each, or somebody stops us.

        Raises:
            ConfigurationError: Kafka would not let us in any more.
            KafkaError: a record came back that another attempt may bring there.
        """
        from kafka.errors import KafkaError  # noqa: PLC0415  # slow to import

        asked = time.monotonic()
        for one, answer in sent:
            while not answer.is_done and not self._stop.is_set():
                with suppress(KafkaError):  # of the record, which is judged below, or of the wait
                    answer.get(timeout=self.patience.look)
                if not answer.is_done and time.monotonic() - asked > self.patience.silence:
                    self._tell_away("it does not answer")
                    self._answers()
                    asked = time.monotonic()
            if answer.is_done:
                self._judge(one, answer.exception)

    def _answers(self) -> bool:
        """Whether Kafka is there.

        Raises:
            ConfigurationError: it is, and would not let us in.
        """
        try:
            self.kafka.greet()
        except Unavailable as away:
            self._tell_away(str(away))
            return False
        return True

    def _judge(self, one: Waiting, error: Exception | None) -> None:
        """What follows from the answer to a record."""
        from kafka.errors import TopicAuthorizationFailedError, UnknownTopicOrPartitionError  # noqa: PLC0415

        topic = one.parcel.topic
        if error is None:
            self._aside.taken(topic)
            self._tell_back()
        elif isinstance(error, UnknownTopicOrPartitionError):
            self._aside.put(topic, "Kafka has no such topic; `fleettwin topics create`")
        elif isinstance(error, TopicAuthorizationFailedError) and topic != TELEMETRY:
            self._aside.put(topic, f"it may not be written; `fleettwin topics acls` shows the rights ({error})")
        elif not _never_taken(error):
            raise error

    def _is_over(self, one: Waiting, answer: Answer) -> bool:
        """Whether the record need not wait any longer."""
        if not answer.is_done:
            return False
        if answer.exception is None:
            self.metrics.sent(one.parcel.readings)
            return True
        if _never_taken(answer.exception):
            log.error("Kafka will never take a record; it is gone", topic=one.parcel.topic, why=str(answer.exception))
            self.metrics.dropped(1, one.parcel.readings)
            return True
        return False

    def _return(self, done: Sequence[Waiting]) -> None:
        """Have the spool forget them; while its disk is full, they must not be sent again and again."""
        told = False
        while True:
            try:
                self.spool.returned(done)
            except sqlite3.Error as error:
                if not told:
                    log.warning("the spool cannot be written; sending waits", why=str(error))
                told = True
                if self._stop.wait(self.patience.look):
                    return
            else:
                return

    def _tell_away(self, why: str) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            log.warning("Kafka is away; what is measured waits in the spool", why=why)

    def _tell_back(self) -> None:
        self._taken, self._refusals = True, 0
        if self._away_since is not None:
            log.info("Kafka is back", after_seconds=round(time.monotonic() - self._away_since, 1))
            self._away_since = None


def _never_taken(error: Exception) -> bool:
    """Whether it is the record's own fault."""
    from kafka.errors import InvalidRecordError, MessageSizeTooLargeError  # noqa: PLC0415  # slow to import

    return isinstance(error, MessageSizeTooLargeError | InvalidRecordError)
