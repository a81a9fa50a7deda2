"""When ticks close: by the clocks in the log, and by nothing else."""

from __future__ import annotations

import orjson
import pytest

from models.ledger import Samples
from models.record import Outgoing
from models.topics import LEDGER, NODES, TELEMETRY, dead_letters
from tests.builders import CATALOGUE, SITE, T0, clock, folded, frame, row, samples_of
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules()
GRACE = RULES.grace


def machine() -> TelemetryMachine:
    return TelemetryMachine(0, 1, RULES, CATALOGUE)


def steps(outputs: list[Outgoing]) -> list[Samples]:
    return [Samples.model_validate_json(output.value or b"") for output in outputs if output.topic == LEDGER]


@pytest.mark.parametrize(
    ("until", "ticks"),
    [
        pytest.param(T0 + 1000 + GRACE - 1, (), id="one-millisecond-short-of-the-grace"),
        pytest.param(T0 + 1000 + GRACE, (T0 + 1000,), id="exactly-the-grace"),
        pytest.param(T0 + 1000 + GRACE + 1, (T0 + 1000,), id="one-millisecond-more"),
        pytest.param(T0 + 2000 + GRACE - 1, (T0 + 1000,), id="the-second-tick-is-short-of-its-grace"),
        pytest.param(T0 + 3000 + GRACE, (T0 + 1000, T0 + 2000, T0 + 3000), id="every-tick-on-the-way"),
    ],
)
def test_a_tick_closes_when_the_clock_has_passed_it_by_the_grace(until: int, ticks: tuple[int, ...]) -> None:
    begun = machine()
    folded(begun, [clock(T0 + GRACE)])

    assert [tick for step in steps(folded(begun, [clock(until)])) for tick in step.ticks] == list(ticks)


def test_the_first_clock_only_sets_where_ticks_begin() -> None:
    (step,) = steps(folded(machine(), [frame([row()]), clock(T0 + 5000 + GRACE)]))

    assert (step.after, step.through, step.ticks, step.samples) == (None, T0 + 5000, (), ())


@pytest.mark.parametrize(
    "until",
    [
        pytest.param(T0 + 2000 + GRACE, id="repeated"),
        pytest.param(T0 + 1000, id="backward"),
        pytest.param(0, id="back-to-1970"),
    ],
)
def test_a_clock_that_does_not_go_on_changes_nothing(until: int) -> None:
    twin = machine()
    folded(twin, [frame([row()]), clock(T0 + GRACE), clock(T0 + 2000 + GRACE)])
    before = twin.snapshot()

    assert folded(twin, [clock(until)]) == []
    assert twin.snapshot() == before


def test_a_clock_that_moves_within_a_tick_puts_nothing_out() -> None:
    twin = machine()
    folded(twin, [clock(T0 + GRACE)])

    assert folded(twin, [clock(T0 + GRACE + 999)]) == []


def test_what_came_before_the_first_clock_waits_for_the_next_tick() -> None:
    """However many clocks come until then: a worker that hands a partition on says the time, and so does the next."""
    twin = TelemetryMachine(0, 1, Rules(node_interval=RULES.tick), CATALOGUE)
    before = folded(twin, [frame([row(at=T0 - 1500), row("n1", T0 - 500)]), clock(T0 + GRACE), clock(T0 + GRACE + 400)])
    after = folded(twin, [frame([row(at=T0 + 600, sequence=1)]), clock(T0 + 1000 + GRACE)])

    assert [output.topic for output in before] == [LEDGER]
    assert [output.identity for output in after if output.topic == NODES] == [f"{SITE}@{T0 + 1000}/0"]
    assert [sample.tick for sample in samples_of(after)] == [T0 + 1000]


def test_steps_follow_on_one_another() -> None:
    clocks = [clock(T0 + GRACE + 1000 * second) for second in (0, 1, 3, 900, 901)]
    after = [(step.after, step.through) for step in steps(folded(machine(), clocks))]

    assert after == [
        (None, T0),
        (T0, T0 + 1000),
        (T0 + 1000, T0 + 3000),
        (T0 + 3000, T0 + 900_000),
        (T0 + 900_000, T0 + 901_000),
    ]


@pytest.mark.parametrize(
    ("jump", "ticks"),
    [
        pytest.param(RULES.longest_jump + 1000, 601, id="the-longest-that-is-walked"),
        pytest.param(RULES.longest_jump + 2000, 1, id="one-tick-longer-is-skipped"),
    ],
)
def test_a_long_stretch_with_nothing_held_closes_its_last_tick_alone(jump: int, ticks: int) -> None:
    (_, step) = steps(folded(machine(), [clock(T0 + GRACE), clock(T0 + GRACE + jump)]))

    assert (len(step.ticks), step.ticks[-1], step.through) == (ticks, T0 + jump, T0 + jump)


def test_a_long_jump_stops_where_readings_are_held() -> None:
    hour = 3_600_000
    records = [clock(T0 + GRACE), frame([row(at=T0 + hour)]), clock(T0 + 2 * hour + GRACE)]
    (_, step) = steps(folded(machine(), records))

    assert step.ticks == (T0 + hour, *(range(T0 + hour + 1000, T0 + hour + 1000, 1000)), T0 + 2 * hour)


@pytest.mark.parametrize(
    ("at", "first"),
    [
        pytest.param(T0 + 2000, T0 + 2000, id="taken-exactly-at-a-tick"),
        pytest.param(T0 + 2001, T0 + 3000, id="taken-after-it"),
    ],
)
def test_a_site_is_sampled_from_the_tick_of_its_first_reading_on(at: int, first: int) -> None:
    outputs = folded(machine(), [clock(T0 + GRACE), frame([row(at=at)]), clock(T0 + 4000 + GRACE)])

    assert [sample.tick for sample in samples_of(outputs)] == list(range(first, T0 + 4001, 1000))


def test_a_late_reading_counts_from_the_next_tick_on() -> None:
    twin = machine()
    folded(twin, [frame([row(power_watts=1000.0)]), clock(T0 - 1000 + GRACE), clock(T0 + 2000 + GRACE)])
    (sample,) = samples_of(folded(twin, [frame([row(at=T0 + 1500, power_watts=3000.0)]), clock(T0 + 3000 + GRACE)]))

    assert (sample.intake.late, sample.power.measured, sample.energy_joules) == (1, 3_000_000, 3000)


def test_a_late_reading_older_than_what_the_node_said_is_superseded() -> None:
    twin = machine()
    folded(twin, [frame([row(at=T0 + 1900, power_watts=1000.0)]), clock(T0 - 1000 + GRACE), clock(T0 + 2000 + GRACE)])
    (sample,) = samples_of(folded(twin, [frame([row(at=T0 + 1500, power_watts=3000.0)]), clock(T0 + 3000 + GRACE)]))

    assert (sample.intake.late, sample.intake.superseded) == (1, 1)
    assert (sample.power.measured, sample.energy_joules) == (1_000_000, 0)


def test_many_sites_are_sampled_in_several_steps_of_one_clock_that_follow_on_one_another() -> None:
    sites = [frame([row()], site=f"s{number:03}") for number in range(300)]
    found = steps(folded(machine(), [clock(T0 - 1000 + GRACE), *sites, clock(T0 + 3000 + GRACE)]))

    assert [(step.after, step.through, len(step.samples)) for step in found[1:]] == [
        (T0 - 1000, T0 + 1000, 600),
        (T0 + 1000, T0 + 3000, 600),
    ]


def test_identities_of_steps_are_those_of_their_last_ticks() -> None:
    outputs = folded(machine(), [clock(T0 + GRACE), clock(T0 + 1000 + GRACE)])

    assert [output.identity for output in outputs] == [f"0@{T0}", f"0@{T0 + 1000}"]
    assert [orjson.loads(output.value or b"")["partition"] for output in outputs] == [0, 0]


def test_a_clock_from_the_future_closes_nothing() -> None:
    twin = machine()
    outputs = folded(twin, [clock(T0 + GRACE), clock(T0 + 3_600_000, timestamp=T0 + 1000)])

    assert [output.topic for output in outputs][1:] == [dead_letters(TELEMETRY)]
    assert twin.closed == T0


def test_a_clock_of_1970_closes_what_lies_before_it() -> None:
    (step,) = steps(folded(machine(), [clock(0)]))

    assert (step.after, step.through, step.ticks) == (None, -1000, ())
