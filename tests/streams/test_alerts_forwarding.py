"""Forwarding: at least once, in order, committed only when taken, whatever becomes of either end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.record import Record
from models.shortage import Severity, Shortage
from streams.consumers.choosing import Wanted
from streams.consumers.steps import Begun, New, Past, Step
from streams.forwarding.dead_letters import DeadLetters
from streams.forwarding.forms import Form, alertmanager_form, webhook_form
from streams.forwarding.forwarder import Forwarder, Patience
from streams.forwarding.posting import Receiver
from tests.alerts import record, resolved, shortage
from tests.receiver import AlertReceiver, Answer, alert_receiver

QUICK = Patience(longest_wait_seconds=0.02, resend_seconds=3600, shortest_wait_seconds=0.0)


@dataclass
class FakeReading:
    """A partition in memory, of one owner; its steps are those of a real one."""

    records: list[Record]
    committed: int | None = 0
    term: int = 1
    owned: bool = True
    commits: list[int] = field(default_factory=list)
    idle: int = 0
    """How often there was nothing to take."""
    on_wait: Callable[[float], None] = lambda seconds: time.sleep(min(seconds, 0.01))
    steps: Iterator[Step] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = self._steps()

    def _steps(self) -> Iterator[Step]:
        begin = len(self.records) if self.committed is None else self.committed
        for one in self.records[:begin]:
            yield Past(one)
        yield Begun(begin, len(self.records), self.committed is None)
        yield from map(New, self.records[begin:])

    @property
    def drained(self) -> bool:
        return True

    def take(self, seconds: float = 0.0) -> Step | None:
        step = next(self.steps, None) if self.owned else None
        if step is None:
            self.idle += 1
            time.sleep(0.001)  # as a real one would
        return step

    def holds(self, term: int) -> bool:
        return self.owned and term == self.term

    def wait(self, seconds: float) -> None:
        self.on_wait(seconds)

    def commit(self, offset: int) -> bool:
        self.commits.append(offset)
        self.committed = offset
        return True


def topic(*events: Shortage) -> list[Record]:
    return [record(event, offset) for offset, event in enumerate(events)]


@dataclass
class Play:
    """One run of a forwarder against a receiver."""

    receiver: AlertReceiver
    reading: FakeReading
    letters: Path
    form: Form = field(default_factory=webhook_form)
    wanted: Wanted = field(default_factory=Wanted)
    patience: Patience = QUICK
    timeout: float = 5.0

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Until all there is was seen through, or until something else holds."""
        end = len(self.reading.records)
        done = until or (lambda: self.reading.committed == end)
        deadline = time.monotonic() + 30

        def stopped() -> bool:
            assert time.monotonic() < deadline
            return done()

        with httpx.Client(timeout=self.timeout) as client, DeadLetters(self.letters) as letters:
            Forwarder(
                reading=self.reading,
                receiver=Receiver(client, self.receiver.url, dict),
                form=self.form,
                wanted=self.wanted,
                dead_letters=letters,
                stopped=stopped,
                patience=self.patience,
            ).run()

    def refused(self) -> list[Any]:
        return [orjson.loads(line) for line in self.letters.read_bytes().splitlines()]


def keys(bodies: list[Any]) -> list[tuple[str, int]]:
    """Episode and sequence of webhook posts."""
    return [
        (alert["fingerprint"], int(alert["annotations"]["sequence"])) for body in bodies for alert in body["alerts"]
    ]


EVENTS = [shortage("a", 0), shortage("b", 0), shortage("a", 1), resolved("a", 2), resolved("b", 1)]
ALL = [("a", 0), ("b", 0), ("a", 1), ("a", 2), ("b", 1)]


def test_events_are_posted_in_order_and_committed_one_by_one(tmp_path: Path) -> None:
    with alert_receiver() as receiver:
        play = Play(receiver, FakeReading(topic(*EVENTS)), tmp_path / "dead")
        play.run()

    assert keys(receiver.taken()) == ALL
    assert play.reading.commits == [1, 2, 3, 4, 5]
    assert play.refused() == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(500), id="500"),
        pytest.param(Answer(429), id="429"),
        pytest.param(Answer(closes=True), id="hangs-up"),
        pytest.param(Answer(hangs=True), id="hangs"),
    ],
)
def test_a_post_is_repeated_until_it_is_taken_and_nothing_overtakes_it(tmp_path: Path, answer: Answer) -> None:
    with alert_receiver(Answer(), *[answer] * 3) as receiver:
        play = Play(receiver, FakeReading(topic(*EVENTS)), tmp_path / "dead", timeout=0.3)
        play.run()

    assert keys([post.body for post in receiver.posts]) == [("a", 0), *[("b", 0)] * 4, *ALL[2:]]
    assert keys(receiver.taken()) == ALL


def test_as_long_as_the_receiver_asks_for_is_waited(tmp_path: Path) -> None:
    waited: list[float] = []
    with alert_receiver(Answer(429, {"Retry-After": "40"}), Answer(503, {"Retry-After": "7"})) as receiver:
        reading = FakeReading(topic(shortage()), on_wait=waited.append)
        Play(receiver, reading, tmp_path / "dead").run()

    assert waited == [40.0, 7.0]


def test_pauses_grow_up_to_a_limit_and_are_never_all_the_same(tmp_path: Path) -> None:
    waited: list[float] = []
    with alert_receiver(*[Answer(500)] * 30) as receiver:
        reading = FakeReading(topic(shortage()), on_wait=waited.append)
        Play(receiver, reading, tmp_path / "dead", patience=Patience(60, 3600)).run()

    assert all(0.1 <= pause <= min(60, 0.5 * 2**place) for place, pause in enumerate(waited))
    assert len({round(pause, 3) for pause in waited[8:]}) > 10
    assert max(waited) > 10


def test_what_is_refused_for_good_is_written_down_before_the_next_is_posted(tmp_path: Path) -> None:
    with alert_receiver(Answer(), Answer(400, body=b"no such label")) as receiver:
        play = Play(receiver, FakeReading(topic(*EVENTS)), tmp_path / "dead")
        play.run()

    (letter,) = play.refused()
    assert letter["reason"] == "400 Bad Request: no such label"
    assert letter["shortage"] == "b"
    assert Shortage.model_validate(letter["event"]) == EVENTS[1]
    assert letter["receiver"] == receiver.url.removesuffix("/hook")
    assert keys(receiver.taken()) == [ALL[0], *ALL[2:]]


def test_a_record_that_is_no_shortage_is_written_down_and_passed_over(tmp_path: Path) -> None:
    stranger = Record("fleet.shortages.v1", 0, 0, 0, b"x", b"{}")
    with alert_receiver() as receiver:
        play = Play(receiver, FakeReading([stranger, record(shortage(), 1)]), tmp_path / "dead")
        play.run()

    (letter,) = play.refused()
    assert letter["reason"].startswith("invalid_shortage")
    assert letter["record"] == "fleet.shortages.v1/0/0"
    assert keys(receiver.taken()) == [("a", 0)]


def test_nothing_is_committed_while_the_receiver_is_away_and_a_stop_ends_the_wait(tmp_path: Path) -> None:
    with alert_receiver(Answer(), *[Answer(503)] * 50) as receiver:
        play = Play(receiver, FakeReading(topic(*EVENTS)), tmp_path / "dead")
        play.run(until=lambda: len(receiver.posts) >= 5)

        assert play.reading.committed == 1
        receiver.planned.clear()
        again = Play(receiver, FakeReading(topic(*EVENTS), committed=play.reading.committed), tmp_path / "dead")
        again.run()

    assert keys(receiver.taken()) == ALL


def test_whoever_loses_the_partition_stops_posting(tmp_path: Path) -> None:
    with alert_receiver(always=Answer(503)) as receiver:
        reading = FakeReading(topic(*EVENTS))
        waits: list[float] = []

        def lose(seconds: float) -> None:
            waits.append(seconds)
            reading.owned = len(waits) < 3

        reading.on_wait = lose
        Play(receiver, reading, tmp_path / "dead").run(until=lambda: reading.idle >= 3)

    assert len(receiver.posts) == 3
    assert reading.commits == []


def test_a_new_group_is_told_what_is_open_and_not_what_had_resolved(tmp_path: Path) -> None:
    past = [shortage("a", 0), shortage("b", 0), resolved("a", 1), shortage("b", 1), shortage("c", 0)]
    with alert_receiver() as receiver:
        reading = FakeReading(topic(*past), committed=None)
        Play(receiver, reading, tmp_path / "dead").run()

    assert sorted(keys(receiver.taken())) == [("b", 1), ("c", 0)]
    assert reading.commits == [5]


def test_a_new_group_that_dies_before_all_that_is_open_was_taken_begins_again(tmp_path: Path) -> None:
    past = [shortage("a", 0), shortage("b", 0)]
    with alert_receiver(Answer(), *[Answer(503)] * 3) as receiver:
        first = FakeReading(topic(*past), committed=None)
        Play(receiver, first, tmp_path / "dead").run(until=lambda: len(receiver.posts) >= 3)
        assert first.commits == []
        receiver.planned.clear()
        Play(receiver, FakeReading(topic(*past), committed=None), tmp_path / "dead").run()

    assert keys(receiver.taken()) == [("a", 0), ("a", 0), ("b", 0)]


def test_a_group_that_goes_on_knows_what_was_told(tmp_path: Path) -> None:
    """An episode that was told is told to its end, though it is no longer as severe as is asked for."""
    events = [shortage("a", 0), shortage("b", 0, severity=Severity.INFO), resolved("a", 1, severity=Severity.INFO)]
    end = resolved("b", 1, severity=Severity.INFO)
    with alert_receiver() as receiver:
        reading = FakeReading(topic(*events, end), committed=2)
        Play(receiver, reading, tmp_path / "dead", wanted=Wanted(severity=Severity.CRITICAL)).run()

    assert keys(receiver.taken()) == [("a", 1)]
    assert reading.committed == 4


def labels(posts: list[Any]) -> list[list[str]]:
    return [[alert["labels"]["shortage"] for alert in body] for body in posts]


def test_alertmanager_is_told_at_once_what_is_open_and_again_before_it_forgets(tmp_path: Path) -> None:
    form = alertmanager_form(timedelta(minutes=5))
    with alert_receiver() as receiver:
        reading = FakeReading(topic(shortage("a"), shortage("b"), shortage("c"), resolved("b", 1)), committed=2)
        patience = Patience(0.02, resend_seconds=0.2, shortest_wait_seconds=0)
        Play(receiver, reading, tmp_path / "dead", form=form, patience=patience).run(
            until=lambda: len(receiver.posts) >= 6
        )

    first, *others = labels(receiver.taken())
    assert first == ["a", "b"]
    assert others[:2] == [["c"], ["b"]]
    assert others[2:] == [["a", "c"]] * 3
    assert receiver.posts[5].at - receiver.posts[3].at >= 0.39


def test_an_alertmanager_that_was_away_is_told_all_that_is_open(tmp_path: Path) -> None:
    """It may have lost its memory, or have taken what it did not hear of for resolved."""
    form = alertmanager_form(timedelta(minutes=5))
    with alert_receiver(Answer(), Answer(503), Answer(503)) as receiver:
        reading = FakeReading(topic(shortage("a"), shortage("b")), committed=1)
        Play(receiver, reading, tmp_path / "dead", form=form).run(until=lambda: len(receiver.taken()) >= 3)

    assert labels(receiver.taken()) == [["a"], ["b"], ["a", "b"]]


ANSWERS = st.sampled_from([Answer(), Answer(), Answer(500), Answer(429), Answer(closes=True), Answer(404)])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(ANSWERS, max_size=25), seed=st.integers(0, 2**32), starts=st.integers(1, 5))
def test_nothing_is_lost_or_out_of_order_however_often_either_end_dies(
    tmp_path: Path, answers: list[Answer], seed: int, starts: int
) -> None:
    """Each start but the last ends after some posts, and what it committed last may not have reached Kafka."""
    random, letters = Random(seed), tmp_path / "dead"
    letters.unlink(missing_ok=True)
    committed = 0
    with alert_receiver(*answers) as receiver:
        for start in range(starts):
            reading = FakeReading(topic(*EVENTS), committed=committed)
            play = Play(receiver, reading, letters)
            if start == starts - 1:
                play.run()
            else:
                bound = len(receiver.posts) + random.randint(0, 6)
                play.run(until=partial(reached, reading, receiver, bound))
                reached_kafka = [committed, *reading.commits]
                committed = random.choice(reached_kafka[-2:])
        taken = keys(receiver.taken())
        refused = [(one["shortage"], one["event"]["sequence"]) for one in play.refused()]

    assert set(taken) | set(refused) == set(ALL)
    firsts = list(dict.fromkeys(taken))
    assert firsts == sorted(firsts, key=ALL.index)


def reached(reading: FakeReading, receiver: AlertReceiver, posts: int) -> bool:
    return len(receiver.posts) >= posts or reading.committed == len(reading.records)
