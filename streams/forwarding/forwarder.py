"""Forwards shortage events, one after the other: what the receiver has taken, or refused for good, is committed.

While the receiver is away the events stay in Kafka, and the forwarder in its group. A single one at a time keeps the
order within each episode, and between them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from models.errors import RecordRefused
from models.record import Record
from streams.consumers.alerts import shortage_of
from streams.consumers.choosing import Telling, Told, Wanted
from streams.consumers.steps import Begun, New, Past, Reading
from streams.forwarding.dead_letters import DeadLetters
from streams.forwarding.forms import Form
from streams.forwarding.posting import Receiver, Refused, Unready

log = structlog.get_logger()


class _NotOurs(Exception):
    """What was to be posted is somebody else's now, or nobody's: we should stop."""


def _wall() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what."""

    longest_wait_seconds: float = 60.0
    """Between two attempts, unless the receiver asks for more."""
    resend_seconds: float = 60.0
    """Between two repeats of what is open, for a receiver that needs them."""
    shortest_wait_seconds: float = 0.1


@dataclass
class Forwarder:
    """What is forwarded by whom; `run` is the whole of it."""

    reading: Reading
    receiver: Receiver
    form: Form
    wanted: Wanted
    dead_letters: DeadLetters
    stopped: Callable[[], bool]
    patience: Patience = Patience()
    now: Callable[[], datetime] = _wall
    _term: int = 0
    _telling: Telling = field(default_factory=Telling)
    _away_since: float | None = None
    _resend_at: float | None = None

    def run(self) -> None:
        """Forward until stopped; between two posts, never within one."""
        while not self.stopped():
            step = self.reading.take(self._until_resend())
            if not self.reading.holds(self._term):
                self._term, self._telling, self._resend_at = self.reading.term, Telling(self.wanted), None
            match step:
                case Past(record):
                    self._remember(record)
                case Begun():
                    self._begin(step)
                case New(record):
                    self._forward(record)
            if self._resend_at is not None and time.monotonic() >= self._resend_at:
                self._send_again()

    def _begin(self, begun: Begun) -> None:
        standing = sorted(self._telling.open.values(), key=lambda event: (event.at, event.id))
        log.info("forwarding", receiver=self.receiver.shown, offset=begun.offset, open=len(standing))
        if begun.first_time:
            # What had resolved before a group first looks is of no use to it; what is open is.
            for event in standing:
                if not self._deliver(Told(event, None)):
                    return
            self.reading.commit(begun.offset)
        self._resend_at = None if self.form.again is None else time.monotonic()

    def _remember(self, record: Record) -> None:
        try:
            self._telling.take(shortage_of(record))
        except RecordRefused:
            return  # it was written down when it was new

    def _forward(self, record: Record) -> None:
        """See one record through; without a commit where that could not be, so that it comes again."""
        try:
            told = self._telling.take(shortage_of(record))
        except RecordRefused as refusal:
            self._bury(str(refusal), record=f"{record.topic}/{record.partition}/{record.offset}")
            told = None
        if told is None or self._deliver(told):
            self.reading.commit(record.offset + 1)

    def _deliver(self, told: Told) -> bool:
        """Post until it is taken or refused; false where we should stop, or somebody else is to do it."""
        event = told.event
        identity = f"{event.id}#{event.sequence}"
        try:
            return self._posted(lambda: self.receiver.post(self.form.body(told, self.now()), identity))
        except Refused as refused:
            self._bury(str(refused), shortage=event.id, event=event.model_dump(mode="json"))
            return True

    def _posted(self, post: Callable[[], None]) -> bool:
        """Attempt it until it works; false where that is no longer ours to do.

        Raises:
            Refused: it never will.
        """
        attempts = Retrying(
            retry=retry_if_exception_type(Unready),
            wait=self._pause,
            sleep=self.reading.wait,
            before_sleep=self._tell_away,
        )
        try:
            attempts(self._attempt, post)
        except _NotOurs:
            return False
        if self._away_since is not None:
            away, self._away_since = time.monotonic() - self._away_since, None
            self._resend_at = None if self.form.again is None else time.monotonic()
            log.info("the receiver takes alerts again", receiver=self.receiver.shown, away_seconds=round(away, 1))
        return True

    def _attempt(self, post: Callable[[], None]) -> None:
        if self.stopped() or not self.reading.holds(self._term):
            raise _NotOurs
        post()

    def _pause(self, state: RetryCallState) -> float:
        """A random time below a doubling bound, so that many senders do not come back at once; what is asked for."""
        patience = self.patience
        backoff = wait_random_exponential(0.5, patience.longest_wait_seconds, min=patience.shortest_wait_seconds)
        return max(backoff(state), _asked(state))

    def _tell_away(self, state: RetryCallState) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            why = "" if state.outcome is None else str(state.outcome.exception())
            log.warning(
                "the receiver takes nothing; alerts wait in Kafka until it does", receiver=self.receiver.shown, why=why
            )

    def _until_resend(self) -> float:
        left = 1.0 if self._resend_at is None else self._resend_at - time.monotonic()
        return min(max(left, 0.0), 0.25)

    def _send_again(self) -> None:
        """Tell the receiver once more what is open."""
        again, self._resend_at = self.form.again, time.monotonic() + self.patience.resend_seconds
        standing = sorted(self._telling.open.values(), key=lambda event: (event.since, event.id))
        if again is None or not standing:
            return
        try:
            self._posted(lambda: self.receiver.post(again(standing, self.now())))
        except Refused as refused:
            log.warning("what is open could not be repeated", receiver=self.receiver.shown, why=str(refused))

    def _bury(self, why: str, **values: Any) -> None:
        self.dead_letters.add(at=self.now(), receiver=self.receiver.shown, reason=why, **values)
        log.error("refused for good", receiver=self.receiver.shown, why=why, written_to=str(self.dead_letters.path))


def _asked(state: RetryCallState) -> float:
    outcome = None if state.outcome is None else state.outcome.exception()
    return outcome.pause if isinstance(outcome, Unready) else 0.0
