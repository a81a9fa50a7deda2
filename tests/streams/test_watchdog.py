"""When a worker counts as stuck: only what it could have gone on with, and has not for long, tells against it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, cycle, repeat

import pytest

from models.topics import STATE, TELEMETRY
from streams.workers.metering import Place
from streams.workers.watchdog import LOOKS, Judge, Vitals

HERE, THERE = (TELEMETRY, 0), (STATE, 0)


@dataclass
class Ends:
    """A Kafka whose partitions end somewhere; those without records beyond their place hold a transaction's marks."""

    at: dict[Place, int] = field(default_factory=dict)
    empty: set[Place] = field(default_factory=set)
    members: Iterator[bool | None] = field(default_factory=lambda: repeat(True))

    def ends(self, places: Collection[Place]) -> Mapping[Place, int]:
        return {place: self.at[place] for place in places if place in self.at}

    def has_more(self, place: Place, offset: int) -> bool:
        return place not in self.empty and offset < self.at[place]

    def is_member(self) -> bool | None:
        return next(self.members)


def verdicts(judge: Judge, looks: list[tuple[int, Vitals]]) -> list[str | None]:
    return [judge.look(beat, vitals) for beat, vitals in looks]


def still(
    at: int | None, place: Place = HERE, excuse: str | None = None, looks: int = LOOKS + 1
) -> list[tuple[int, Vitals]]:
    """A worker that lives and stays where it is."""
    return [(beat, Vitals({place: at}, excuse)) for beat in range(1, looks + 1)]


def test_a_worker_that_stays_behind_is_stuck_after_so_many_looks() -> None:
    told = verdicts(Judge(Ends({HERE: 9})), still(4))

    assert told == [None] * LOOKS + [f"it does not go on with partition 0 of {TELEMETRY}, at offset 4 of 9"]


def test_a_partition_of_which_nothing_was_ever_read_is_stuck_too() -> None:
    told = verdicts(Judge(Ends({HERE: 9})), still(None))

    assert told[-1] == f"it does not go on with partition 0 of {TELEMETRY}, at offset 0 of 9"


@pytest.mark.parametrize(
    ("ends", "looks"),
    [
        pytest.param(Ends({HERE: 4}), still(4), id="all-is-read"),
        pytest.param(Ends({HERE: 9}, {HERE}), still(4), id="only-marks-of-transactions-are-left"),
        pytest.param(Ends(), still(4), id="kafka-does-not-answer"),
        pytest.param(Ends({HERE: 9}), still(4, excuse="the database is away"), id="it-has-an-excuse"),
        pytest.param(Ends({HERE: 9}), still(4, looks=LOOKS), id="not-for-long-enough"),
        pytest.param(Ends({HERE: 99}), [(n, Vitals({HERE: n // 2})) for n in range(1, 50)], id="it-goes-on-slowly"),
        pytest.param(
            Ends({HERE: 9}), [*still(4, looks=LOOKS), (20, Vitals({})), *still(4, looks=LOOKS)], id="not-its-own"
        ),
    ],
)
def test_a_worker_is_not_stuck_where_it_need_not_or_cannot_go_on(ends: Ends, looks: list[tuple[int, Vitals]]) -> None:
    assert verdicts(Judge(ends), looks) == [None] * len(looks)


def test_one_partition_that_stands_still_is_enough() -> None:
    looks = [(beat, Vitals({HERE: 4, THERE: beat})) for beat in range(1, LOOKS + 2)]

    assert verdicts(Judge(Ends({HERE: 9, THERE: 99})), looks)[-1] is not None


@pytest.mark.parametrize(
    "looks",
    [
        pytest.param([(beat, Vitals({})) for beat in range(1, LOOKS + 1)], id="without-partitions"),
        pytest.param([(beat, Vitals({HERE: beat})) for beat in range(1, LOOKS + 1)], id="with-some-that-it-reads"),
        pytest.param(still(4, excuse="the database is away", looks=LOOKS), id="with-an-excuse"),
    ],
)
def test_a_worker_that_is_not_in_its_group_for_long_is_stuck(looks: list[tuple[int, Vitals]]) -> None:
    told = verdicts(Judge(Ends({HERE: 99}, members=repeat(False))), looks)

    assert told == [None] * (LOOKS - 1) + ["it is not in its consumer group, and does not come back"]


@pytest.mark.parametrize(
    "members",
    [
        pytest.param(cycle([False] * (LOOKS - 1) + [True]), id="it-comes-back-in-time"),
        pytest.param(chain([False] * (LOOKS - 1), [None], [False] * (LOOKS - 1), repeat(True)), id="nobody-can-tell"),
        pytest.param(repeat(None), id="kafka-does-not-answer"),
    ],
)
def test_a_worker_that_may_be_in_its_group_is_not_stuck(members: Iterator[bool | None]) -> None:
    looks = [(beat, Vitals({})) for beat in range(1, 4 * LOOKS)]

    assert verdicts(Judge(Ends(members=members)), looks) == [None] * len(looks)


def test_what_a_worker_does_not_read_outside_its_group_is_not_what_is_wrong() -> None:
    told = verdicts(Judge(Ends({HERE: 9}, members=chain([True, True], repeat(False)))), still(4, looks=LOOKS + 2))

    assert told == [None] * (LOOKS + 1) + ["it is not in its consumer group, and does not come back"]


def test_an_event_loop_that_does_not_turn_is_blocked() -> None:
    told = verdicts(Judge(Ends()), [(7, Vitals({}))] * (LOOKS + 1))

    assert told == [None] * LOOKS + ["its event loop is blocked"]


def test_a_loop_that_has_not_begun_is_not_blocked() -> None:
    assert verdicts(Judge(Ends()), [(0, Vitals({}))] * (LOOKS + 5)) == [None] * (LOOKS + 5)
