"""The figures of the dashboard of shortages, against the same worked out by hand or step by step."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from infra.timescale.sink import TimescaleSink
from models.instants import Instant, moment_of
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Constraint,
    Power,
    Quantity,
    Resource,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
)
from tests.dashboards.grafana_asking import SCHEMA, asked, by_name, looked_at, migrated
from tests.infra.timescale_builders import HOUR, T0

pytestmark = pytest.mark.servers

MINUTE, SECOND = 60_000, 1000
H100 = Accelerators(types=("h100-sxm",))


@pytest.fixture(scope="module")
def address(database_template: str) -> Iterator[str]:
    with migrated(database_template, "grafana_shortages") as address:
        yield address


@pytest.fixture
def look(address: str) -> Iterator[Connection]:
    with looked_at(address) as look:
        yield look
        look.execute("truncate shortages, shortage_events")


def episode(
    name: str,
    levels: Sequence[tuple[int, int]],
    *,
    gone: int | None = None,
    told: int | None = None,
    kind: ScopeKind = ScopeKind.PROJECT,
    resource: Resource = H100,
    since: int = 0,
    constraint: Constraint = Constraint.POWER,
    also: Sequence[tuple[Constraint, int]] = (),
) -> list[Shortage]:
    """One that misses so many accelerators from so many milliseconds after T0 on, until it is gone, if it is.

    Args:
        name: Of the scope.
        levels: When, and how many.
        gone: From when on it was.
        told: When that was told.
        kind: Of the scope.
        resource: What is missing.
        since: How long before its opening it held.
        constraint: What binds; all that is missing waits for it.
        also: What else, and how many wait for that.
    """
    opened = levels[0][0]
    steps = [(at, missing, Change.UPDATED) for at, missing in levels]
    steps[0] = (*levels[0], Change.OPENED)
    if gone is not None:
        steps.append((gone if told is None else told, levels[-1][1], Change.RESOLVED))
    return [
        Shortage(
            id=f"{kind.value}/{name}/{resource.kind}@{opened}",
            sequence=sequence,
            change=change,
            status=Status.RESOLVED if change is Change.RESOLVED else Status.OPEN,
            severity=Severity.WARNING,
            scope=Scope(kind=kind, name=name),
            resource=resource,
            demanded=Quantity(accelerators=2 * missing),
            served=Quantity(accelerators=missing),
            missing=Quantity(accelerators=missing, h100e=missing * 1.5, watts=missing * 700.0),
            binding=Binding(constraint=constraint, sites=(), types=(), behind=missing, summary=name),
            also=tuple(Binding(constraint=one, sites=(), types=(), behind=some, summary="") for one, some in also),
            since=moment_of(Instant(T0 + opened - since)),
            at=moment_of(Instant(T0 + at)),
            resolved_at=moment_of(Instant(T0 + (gone or 0))) if change is Change.RESOLVED else None,
            projects=(name,),
        )
        for sequence, (at, missing, change) in enumerate(steps)
    ]


def written(address: str, *episodes: Sequence[Shortage]) -> None:
    with TimescaleSink(address, SCHEMA) as sink:
        sink.write(RowBatch(shortages=[event for one in episodes for event in one]))


def missing(look: Connection, since: int, until: int, kind: str = "missing") -> dict[int, float]:
    """What is missing by milliseconds after T0."""
    rows = asked(look, "fleet-shortages: Missing accelerators over time", T0 + since, T0 + until)
    zero = moment_of(Instant(T0))
    return {
        (time - zero) // timedelta(milliseconds=1): value
        for time, value in by_name(rows, "what", "value")[kind].items()
    }


def test_an_event_holds_until_the_next_one_and_the_last_until_the_shortage_is_gone(
    address: str, look: Connection
) -> None:
    written(address, episode("atlas", [(5 * MINUTE, 8), (10 * MINUTE, 24)], gone=20 * MINUTE))

    found = missing(look, 0, HOUR)

    assert {found[at * MINUTE] for at in (0, 4)} == {0}
    assert {found[at * MINUTE] for at in (5, 9)} == {8}
    assert {found[at * MINUTE] for at in (10, 19)} == {24}
    assert {found[at * MINUTE] for at in (20, 59)} == {0}


def test_a_shortage_counts_until_it_was_gone_not_until_that_was_told(address: str, look: Connection) -> None:
    written(address, episode("atlas", [(5 * MINUTE, 8)], gone=20 * MINUTE, told=30 * MINUTE))

    assert [missing(look, 0, HOUR)[at * MINUTE] for at in (19, 20, 25)] == [8, 0, 0]


def test_a_shortage_that_is_older_than_the_range_counts_from_its_beginning(address: str, look: Connection) -> None:
    written(address, episode("atlas", [(-50 * HOUR, 8), (-49 * HOUR, 16)]))

    assert set(missing(look, 0, HOUR).values()) == {16}


def test_the_fleets_shortage_is_not_counted_beside_the_projects(address: str, look: Connection) -> None:
    written(
        address,
        episode("atlas", [(0, 8)]),
        episode("beta", [(0, 3)]),
        episode("fleet", [(0, 11)], kind=ScopeKind.FLEET),
    )

    assert set(missing(look, 0, HOUR).values()) == {11}


def test_a_bucket_shows_the_most_that_was_missing_in_it(address: str, look: Connection) -> None:
    written(
        address,
        episode("brief", [(HOUR + 60_000, 8)], gone=HOUR + 61_000),
        episode("later", [(HOUR + 120_000, 5)], gone=HOUR + 121_000),
    )

    found = missing(look, 0, 30 * 24 * HOUR)

    assert [value for value in found.values() if value] == [8]


def test_what_is_missing_is_right_at_every_instant(address: str, look: Connection) -> None:
    dice = random.Random(7)
    episodes = []
    for number in range(40):
        times = sorted(dice.sample(range(-600, 4000), dice.randint(2, 6)))
        levels = [(at * SECOND, dice.randint(1, 50)) for at in times]
        ends = dice.random() < 0.8
        episodes.append(episode(f"p{number}", levels[:-1], gone=levels[-1][0] if ends else None))
    written(address, *episodes)

    found = missing(look, 0, HOUR)

    assert list(found) == list(range(0, HOUR + 1, 5 * SECOND))
    for begins, value in found.items():
        # the range ends with the last bucket's beginning: what happens then still counts
        within = range(begins, min(begins + 5 * SECOND, HOUR + 1), SECOND)
        assert value == max(sum(level_at(one, at) for one in episodes) for at in within)


def level_at(one: Sequence[Shortage], at: int) -> int:
    """What an episode misses at an instant, by its definition."""
    said = [event for event in one if event.at <= moment_of(Instant(T0 + at))]
    return 0 if not said or said[-1].status is Status.RESOLVED else said[-1].missing.accelerators


def test_power_is_told_apart_from_what_missing_accelerators_would_draw(address: str, look: Connection) -> None:
    written(address, episode("atlas", [(0, 8)]), episode("memphis", [(0, 3)], kind=ScopeKind.SITE, resource=Power()))

    rows = asked(look, "fleet-shortages: Missing power over time", T0, T0 + HOUR)

    told = {kind: set(series.values()) for kind, series in by_name(rows, "what", "value").items()}
    assert told == {"for what is missing": {5600}, "lacking at sites": {2100}}
    assert set(missing(look, 0, HOUR).values()) == {8}


def test_what_waits_for_either_of_two_constraints_counts_for_both_by_the_hour(address: str, look: Connection) -> None:
    written(
        address,
        episode("atlas", [(0, 8)], gone=30 * MINUTE, constraint=Constraint.QUOTA, also=[(Constraint.WHOLE_NODES, 6)]),
        episode("beta", [(30 * MINUTE, 4)], constraint=Constraint.WHOLE_NODES),
        episode("fleet", [(0, 99)], kind=ScopeKind.FLEET),
    )

    rows = asked(look, "fleet-shortages: What binds most", T0, T0 + HOUR)

    assert [tuple(row.values()) for row in rows] == [
        ("whole nodes", pytest.approx(6 * 0.5 + 4 * 0.5)),
        ("quota", pytest.approx(8 * 0.5)),
    ]


def test_a_project_has_its_episodes_and_what_it_missed_by_the_hour(address: str, look: Connection) -> None:
    written(
        address,
        episode("atlas", [(0, 8), (15 * MINUTE, 4)], gone=30 * MINUTE),
        episode("atlas", [(45 * MINUTE, 40)]),
        episode("beta", [(0, 100)], gone=6 * MINUTE),
        episode("gone before", [(-HOUR, 100)], gone=-MINUTE),
    )

    rows = asked(look, "fleet-shortages: Projects", T0, T0 + HOUR)

    assert [
        (row["project"], row["episodes"], row["open"], row["missing"], row["accelerator-hours missing"]) for row in rows
    ] == [
        ("atlas", 2, 1, 40, pytest.approx(8 * 0.25 + 4 * 0.25 + 40 * 0.25)),
        ("beta", 1, 0, None, pytest.approx(100 * 0.1)),
    ]


def test_detecting_is_up_to_the_opening_and_clearing_up_to_when_it_was_gone(address: str, look: Connection) -> None:
    written(
        address,
        *(episode(f"p{n}", [(n * MINUTE, 8)], since=n * SECOND, gone=2 * n * MINUTE, told=HOUR) for n in range(1, 22)),
        episode("long before", [(-HOUR, 8)], since=HOUR, gone=-MINUTE),
    )

    detect, clear = (
        asked(look, f"fleet-shortages: Time to {what}", T0, T0 + HOUR)[0].values() for what in ("detect", "clear")
    )

    # of 1 to 21 the median is 11, and 20 of the 21 are no more than 20
    assert list(detect) == pytest.approx([11, 20])
    assert list(clear) == pytest.approx([11 * 61, 20 * 61])


@pytest.mark.parametrize(
    ("length", "buckets", "opened"),
    [
        pytest.param(3 * HOUR, 4, [0, 2, 1, 0], id="hours-of-a-short-range"),
        pytest.param(4 * 24 * HOUR, 5, [3, 0, 0, 0, 0], id="days-of-a-long-one"),
    ],
)
def test_openings_and_resolutions_are_counted_and_an_hour_or_day_without_any_is_zero(
    address: str, look: Connection, length: int, buckets: int, opened: list[int]
) -> None:
    written(
        address,
        episode("a", [(HOUR, 8)], gone=HOUR + MINUTE),
        episode("b", [(HOUR + MINUTE, 8)]),
        episode("c", [(2 * HOUR, 8)]),
    )

    rows = asked(look, "fleet-shortages: Opened and resolved", T0, T0 + length)

    assert len(rows) == buckets
    assert [row["opened"] for row in rows] == opened
    assert sum(row["resolved"] for row in rows) == 1


def test_the_open_table_says_who_what_binds_and_what_one_more_brings(address: str, look: Connection) -> None:
    one = episode("atlas", [(0, 8)], constraint=Constraint.WHOLE_NODES, also=[(Constraint.UNKNOWN_CAPACITY, 1)])[0]
    more = {"unit": "whole_node", "serves": 8}
    binding = Binding.model_validate(
        one.binding.model_dump() | {"together_with": ("power", "unknown_capacity"), "one_more": more}
    )
    power = episode("memphis", [(0, 3)], kind=ScopeKind.SITE, resource=Power())
    written(address, [one.model_copy(update={"binding": binding})], power, episode("over", [(0, 1)], gone=MINUTE))

    rows: list[dict[str, Any]] = asked(look, "fleet-shortages: What is short now", T0, T0 + HOUR)

    assert [(row["short is"], row["of what"]) for row in rows[1:]] == [("site memphis", "power")]
    assert rows[0] | {"since": None} == {
        "severity": "warning",
        "short is": "project atlas",
        "of what": "accelerators h100-sxm",
        "since": None,
        "missing": 8,
        "in H100e": 12,
        "power": 5600,
        "what binds": "whole nodes with power and unknown capacity",
        "one more": "+1 whole node serves 8",
        "also binds": "unknown capacity",
        "site": None,
        "projects": "atlas",
        "summary": "atlas",
    }
