"""One member of a consumer group on the shortage topic: it goes on where the group was, and never forgets what was.

Whoever becomes the owner of the topic's partition reads what the group is done with once more, as the past: so it knows
which episodes have been told, and the same log is told in the same way whoever tells it, and however often it starts.
The topic is small: some events of each episode.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from infra.groups import await_coordinator
from infra.kafka_clients import opened_consumer
from infra.settings import Settings
from infra.topics import full_name, partition_counts
from models.errors import ConfigurationError
from models.record import Record
from models.topics import SHORTAGES
from streams.consumers.steps import Begun, New, Past, Step

if TYPE_CHECKING:
    from kafka import KafkaConsumer

log = structlog.get_logger()

WORKERS = ("twin", "store")
"""Names of groups that are taken."""

MOST_WAITING = 10_000
"""Records kept while the reader waits for something else; what comes after is read again later."""

_POLL_SECONDS = 0.25
_LONGEST_SILENCE_SECONDS = 5.0
"""Between two polls, while there is enough to do: Kafka takes a member that does not poll for minutes for dead."""


Beginning = Callable[["KafkaConsumer", Any], int]
"""Where a group begins that has never committed anything, of the consumer and the partition."""


class GroupReading:
    """Steps of one partition while it is ours; `term` is another one each time that it becomes ours."""

    def __init__(
        self,
        consumer: KafkaConsumer,
        topic: str,
        beginning: Beginning,
        stopped: Callable[[], bool],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        from kafka import ConsumerRebalanceListener, TopicPartition  # noqa: PLC0415  # slow to import

        self.term = 0
        self.owned = False
        self._consumer, self._beginning, self._stopped = consumer, beginning, stopped
        self._most_waiting = most_waiting
        self._place = TopicPartition(topic, 0)
        self._waiting: deque[Record] = deque()
        self._begun: Begun | None = None
        self._told_begun = self._read_again = False
        self._next_offset = 0
        """Of the next record to be kept."""
        self._opened = 0
        self._polled = time.monotonic()
        reading = self

        class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
            def on_partitions_assigned(self, assigned: Any) -> None:
                reading._opened += reading._place in assigned

            def on_partitions_revoked(self, revoked: Any) -> None:
                reading.owned = reading.owned and reading._place not in revoked

        consumer.subscribe([topic], listener=Listener())

    def take(self, seconds: float = _POLL_SECONDS) -> Step | None:
        """The next step, if one comes within so many seconds."""
        if not self._waiting or time.monotonic() - self._polled > _LONGEST_SILENCE_SECONDS:
            self._poll(0.05 if self._waiting else seconds)
        begun = self._begun
        if begun is None or not self.owned:
            return None
        if self._waiting and self._waiting[0].offset < begun.offset:
            return Past(self._waiting.popleft())
        if not self._told_begun:
            if not self._waiting and self._position() < begun.offset:
                return None
            self._told_begun = True
            return begun
        return New(self._waiting.popleft()) if self._waiting else None

    @property
    def drained(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._waiting

    def wait(self, seconds: float) -> None:
        """Let time pass and stay in the group meanwhile; ends early where one should stop, or the partition is lost."""
        term, until = self.term, time.monotonic() + seconds
        while self.holds(term) and not self._stopped() and (left := until - time.monotonic()) > 0:
            begun = time.monotonic()
            self._poll(min(left, _POLL_SECONDS))
            if time.monotonic() - begun < min(left, _POLL_SECONDS) and not self._stopped():
                time.sleep(max(0.0, min(left, _POLL_SECONDS) - (time.monotonic() - begun)))

    def holds(self, term: int) -> bool:
        """Whether the partition has been ours without a break since that term began."""
        return self.owned and self.term == term

    def commit(self, offset: int) -> bool:
        """Let the group be done with all before the offset; false where it is not ours to say any more.

        Whoever is the owner then reads on from the last commit, so that what it did not cover is told again.
        """
        from kafka import errors  # noqa: PLC0415  # slow to import
        from kafka.structs import OffsetAndMetadata  # noqa: PLC0415

        try:
            self._consumer.commit({self._place: OffsetAndMetadata(offset)})
        except (
            errors.CommitFailedError,
            errors.IllegalGenerationError,
            errors.KafkaTimeoutError,
            errors.RebalanceInProgressError,
            errors.UnknownMemberIdError,
        ) as error:
            log.warning("what was told is not committed and may be told again", offset=offset, why=str(error))
            return False
        return True

    def _poll(self, seconds: float) -> None:
        opened, self._polled = self._opened, time.monotonic()
        found = self._consumer.poll(timeout_ms=round(seconds * 1000))
        if self._opened != opened:
            self._open()
            return  # what came with the assignment was read from where the library would begin
        if not self.owned or self._begun is None:
            return
        if self._read_again and not self._waiting:
            self._read_again = False
            self._consumer.seek(self._place, self._next_offset)
            return
        for one in found.get(self._place, ()):
            if len(self._waiting) >= self._most_waiting:
                self._read_again = True
            elif one.offset >= self._next_offset and not self._read_again:
                headers = tuple((name, value or b"") for name, value in one.headers)
                self._waiting.append(
                    Record(SHORTAGES, one.partition, one.offset, one.timestamp, one.key, one.value, headers)
                )
                self._next_offset = one.offset + 1

    def _open(self) -> None:
        """Begin with the past of the partition that has become ours."""
        committed = self._consumer.committed(self._place)
        begin = self._consumer.beginning_offsets([self._place])[self._place]
        end = self._consumer.end_offsets([self._place])[self._place]
        first = self._beginning(self._consumer, self._place) if committed is None else committed
        # A topic that was deleted and made anew is shorter than what was committed of the old one.
        start = begin if first > end else max(first, begin)
        self._consumer.seek(self._place, begin)
        self._waiting.clear()
        self._next_offset, self._read_again, self._told_begun = begin, False, False
        self._begun = Begun(start, end, committed is None)
        self.term, self.owned = self.term + 1, True

    def _position(self) -> int:
        position = self._consumer.position(self._place, timeout_ms=round(_POLL_SECONDS * 1000))
        return self._next_offset if position is None else int(position)


@contextmanager
def group_reading(
    settings: Settings, group: str, beginning: Beginning, stopped: Callable[[], bool]
) -> Iterator[GroupReading]:
    """Be a member of the group of this name (the topics' prefix is put before it) until the end of the block.

    Raises:
        ConfigurationError: the topic is not there, or the group is one of the workers'.
        Unavailable: no Kafka answers.
    """
    if group in WORKERS or not group:
        raise ConfigurationError("--group", group, f"another name than those of the workers: {', '.join(WORKERS)}")
    partition_counts(settings, (SHORTAGES,))
    await_coordinator(settings, group)
    name = full_name(settings.kafka, group)
    with opened_consumer(settings, name) as consumer:
        yield GroupReading(consumer, full_name(settings.kafka, SHORTAGES), beginning, stopped)


def from_the_first(_consumer: KafkaConsumer, _place: Any) -> int:
    """Begin with the first record that there is."""
    return 0


def from_instant(instant: int) -> Beginning:
    """Begin with the first record that Kafka has taken in since then."""

    def begin(consumer: KafkaConsumer, place: Any) -> int:
        found = consumer.offsets_for_times({place: instant})[place]
        return int(consumer.end_offsets([place])[place] if found is None else found.offset)

    return begin
