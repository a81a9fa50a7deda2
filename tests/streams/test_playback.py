"""Playing a log: what is due when, from command to command; no clock but the numbers that are handed in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.record import SENT_AT, Record
from models.topics import TELEMETRY
from streams.logs.playback import (
    HIGHEST_SPEED,
    LOWEST_SPEED,
    Command,
    Faster,
    Go,
    Pause,
    Playback,
    Quit,
    Slower,
    Speed,
    Step,
    Toggle,
)

BEGUN = 50.0
"""What the steady clock says when a test begins."""


def at(milliseconds: int) -> Record:
    return Record(TELEMETRY, 0, 0, milliseconds, b"memphis", b"x")


def log(*milliseconds: int) -> list[Record]:
    return [at(one) for one in milliseconds]


def played(playback: Playback, now: float) -> list[int]:
    """When the records were first sent that are due now, so long after the beginning."""
    out = []
    while (record := playback.due(BEGUN + now)) is not None:
        out.append(record.sent_at)
    return out


def waits(playback: Playback, now: float) -> float | None:
    wait = playback.wait(BEGUN + now)
    return None if wait is None else round(wait, 6)


@pytest.mark.parametrize(
    ("speed", "times"),
    [
        pytest.param(1.0, [0, 2, 2, 10], id="as-it-was"),
        pytest.param(4.0, [0, 0.5, 0.5, 2.5], id="four-times-as-fast"),
        pytest.param(None, [0, 0, 0, 0], id="as-fast-as-can-be"),
    ],
)
def test_records_come_at_their_time_divided_by_the_speed(speed: float | None, times: list[float]) -> None:
    playback = Playback(
        [at(0), at(2_000), at(1_000), Record(TELEMETRY, 0, 0, 99, b"", b"", ((SENT_AT, b"10000"),))], speed
    )
    now, found = 0.0, []
    while not playback.ended:
        now += playback.wait(BEGUN + now) or 0.0
        found += [now] * len(played(playback, now))

    assert found == times


def test_what_comes_late_is_sent_at_once_and_the_rest_at_its_own_time() -> None:
    playback = Playback(log(0, 1_000, 2_000, 9_000), 1.0)

    assert played(playback, 0) == [0]
    assert played(playback, 5) == [1_000, 2_000]
    assert waits(playback, 5) == 4
    assert played(playback, 9) == [9_000]


def test_how_late_it_is_is_told_by_the_clock_on_the_wall() -> None:
    playback = Playback(log(0, 4_000), 2.0)
    played(playback, 0)

    assert playback.status(BEGUN + 1).behind_seconds == 0
    assert playback.status(BEGUN + 5).behind_seconds == 3


def test_in_a_pause_nothing_is_due_and_no_time_of_the_log_passes() -> None:
    playback = Playback(log(0, 1_000, 2_000), 1.0)
    played(playback, 0)
    playback.take(Toggle(), BEGUN + 0.5)

    assert (played(playback, 100), waits(playback, 100)) == ([], None)
    playback.take(Toggle(), BEGUN + 100)
    assert (played(playback, 100), waits(playback, 100)) == ([], 0.5)
    assert played(playback, 101.5) == [1_000, 2_000]


def test_one_that_begins_paused_knows_where_the_log_stands_and_sends_nothing() -> None:
    playback = Playback(log(7_000), None, paused=True)

    assert (played(playback, 0), waits(playback, 0)) == ([], None)
    assert playback.status(BEGUN).log_time == 7_000
    playback.take(Go(), BEGUN)
    assert played(playback, 0) == [7_000]
    assert playback.ended


def test_a_step_plays_up_to_the_next_second_and_pauses() -> None:
    playback = Playback(log(200, 999, 1_000, 1_001, 2_000), 1.0, paused=True)
    playback.take(Step(), BEGUN)

    assert playback.status(BEGUN).stepping
    assert played(playback, 0) == [200, 999]
    assert not playback.status(BEGUN).stepping
    assert waits(playback, 0) is None
    playback.take(Step(), BEGUN)
    assert played(playback, 0) == [1_000, 1_001]


def test_a_step_that_is_asked_for_while_it_plays_pauses_first() -> None:
    playback = Playback(log(0, 100, 900, 1_000), 1.0)
    assert played(playback, 0) == [0]
    playback.take(Step(), BEGUN)

    assert played(playback, 0) == [100, 900]
    assert played(playback, 60) == []


def test_a_step_passes_over_seconds_that_hold_nothing() -> None:
    playback = Playback(log(0, 60_500, 61_000), None, paused=True)
    playback.take(Step(2), BEGUN)

    assert played(playback, 0) == [0, 60_500]


def test_steps_that_are_left_do_not_outlive_going_on() -> None:
    playback = Playback(log(0, 1_000, 2_000, 3_000), None, paused=True)
    playback.take(Step(3), BEGUN)
    assert playback.due(BEGUN) is not None
    playback.take(Go(), BEGUN)
    playback.take(Pause(), BEGUN)

    assert played(playback, 0) == []


def test_after_a_step_the_log_goes_on_from_there() -> None:
    playback = Playback(log(0, 1_000, 3_000), 1.0, paused=True)
    playback.take(Step(2), BEGUN)
    played(playback, 0)
    playback.take(Go(), BEGUN + 10)

    assert waits(playback, 10) == 1
    assert played(playback, 11) == [3_000]


def test_a_new_speed_counts_from_now_on() -> None:
    playback = Playback(log(0, 10_000, 20_000), 1.0)
    played(playback, 0)
    playback.take(Speed(5.0), BEGUN + 5)

    assert waits(playback, 5) == 1
    assert played(playback, 6) == [10_000]
    playback.take(Speed(None), BEGUN + 6)
    assert played(playback, 6) == [20_000]


@pytest.mark.parametrize(
    ("speed", "command", "then"),
    [
        pytest.param(4.0, Faster(), 8.0, id="double"),
        pytest.param(4.0, Slower(), 2.0, id="half"),
        pytest.param(HIGHEST_SPEED, Faster(), None, id="above-the-highest-is-as-fast-as-it-goes"),
        pytest.param(None, Faster(), None, id="no-faster-than-that"),
        pytest.param(None, Slower(), HIGHEST_SPEED, id="and-back"),
        pytest.param(LOWEST_SPEED, Slower(), LOWEST_SPEED, id="no-slower-than-the-lowest"),
    ],
)
def test_the_speed_is_doubled_and_halved(speed: float | None, command: Command, then: float | None) -> None:
    playback = Playback(log(0), speed)
    playback.take(command, BEGUN)

    assert playback.status(BEGUN).speed == then


def test_after_quitting_nothing_is_due_and_the_earliest_of_the_rest_is_told() -> None:
    playback = Playback(log(0, 5_000, 4_000, 6_000), None)
    playback.due(BEGUN)
    playback.take(Quit(), BEGUN)

    assert (playback.ended, playback.due(BEGUN)) == (True, None)
    assert playback.left_from() == 4_000


def test_a_log_that_was_played_to_its_end_has_nothing_left() -> None:
    playback = Playback(log(0, 1_000))

    assert played(playback, 0) == [0, 1_000]
    assert playback.ended
    assert playback.left_from() is None


commands = st.sampled_from([Toggle(), Pause(), Go(), Step(), Step(3), Speed(8.0), Speed(None), Faster(), Slower()])


@given(
    times=st.lists(st.integers(0, 20_000), max_size=30),
    said=st.lists(st.tuples(commands, st.floats(0, 3)), max_size=20),
    speed=st.sampled_from([None, 0.5, 1.0, 16.0]),
)
def test_whatever_is_commanded_each_record_comes_once_and_in_order(
    times: list[int], said: list[tuple[Command, float]], speed: float | None
) -> None:
    playback, now, out = Playback(log(*times), speed), 0.0, []
    for command, passed in said:
        out += played(playback, now)
        playback.take(command, BEGUN + now)
        now += passed
    playback.take(Go(), BEGUN + now)
    playback.take(Speed(None), BEGUN + now)

    assert out + played(playback, now) == times
