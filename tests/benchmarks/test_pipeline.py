"""The pipeline's benchmark: when a rate counts as held, how the highest one is looked for, and what a report says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.fleets import scaled
from benchmarks.pipeline.figures import Run
from benchmarks.pipeline.highest import highest_rate
from benchmarks.pipeline.profiling import shares
from benchmarks.pipeline.reading_back import Window
from benchmarks.report import table
from models.catalogue import shipped_catalogue
from models.scenario import load_scenario

HELD = Run(
    accelerators=1_000_000,
    nodes=125_000,
    sites=20,
    readings_per_second=125_000,
    seconds=120.0,
    published=15_000_000,
    observed=15_000_000,
    refused=0,
    late_part=0.0,
    p50_sample_seconds=0.6,
    p99_sample_seconds=1.0,
    p99_row_seconds=7.0,
    lag={"half": 0, "end": 0},
    rss_mb={"half": 1000.0, "end": 1001.0},
    rss_mb_by_process={"twin": {"half": 250.0, "end": 251.0}},
    cpu_seconds_per_million={"twin": 2.0, "kafka": 1.0, "timescaledb": 1.0},
    cores_busy=0.5,
    planner={"p50_seconds": 0.03, "p99_seconds": 0.1},
    console={
        "answer_milliseconds": {"/api/fleet": {"p50": 7.0, "p99": 30.0}},
        "update_age_seconds": {"p50": 1.0, "p99": 1.6},
        "failures": 0,
    },
)


@pytest.mark.parametrize(
    ("changed", "misses"),
    [
        pytest.param({}, 0, id="all-within"),
        pytest.param({"refused": 1, "observed": 14_999_999}, 1, id="a-reading-refused"),
        pytest.param({"observed": 14_999_999}, 1, id="a-reading-gone"),
        pytest.param({"late_part": 0.0011}, 1, id="more-late-than-one-in-a-thousand"),
        pytest.param({"late_part": 0.001}, 0, id="one-in-a-thousand-late"),
        pytest.param({"p99_sample_seconds": 1.5}, 1, id="samples-too-late"),
        pytest.param({"p99_row_seconds": 15.0}, 1, id="rows-too-late"),
        pytest.param({"p99_row_seconds": float("inf")}, 1, id="no-rows"),
    ],
)
def test_a_rate_is_held_if_nothing_is_lost_and_nothing_late(changed: dict[str, Any], misses: int) -> None:
    assert len(replace(HELD, **changed).misses) == misses


def capable_of(rate: float) -> tuple[Callable[[float], Run], list[float]]:
    """A machine that holds every rate up to this one, and the factors that it was tried with."""
    tried: list[float] = []

    def run(factor: float) -> Run:
        tried.append(factor)
        found = replace(HELD, readings_per_second=round(125_000 * factor))
        return found if 125_000 * factor <= rate else replace(found, p99_sample_seconds=9.0)

    return run, tried


@pytest.mark.parametrize(
    ("capability", "most", "highest"),
    [
        pytest.param(600_000, 2, 531_250, id="more-than-promised-is-tried-after-what-is-promised"),
        pytest.param(300_000, 3, 230_489, id="between-the-held-and-the-missed"),
        pytest.param(130_000, 3, 125_000, id="no-more-than-the-first"),
    ],
)
def test_the_highest_rate_is_the_highest_that_was_held(capability: float, most: int, highest: int) -> None:
    run, tried = capable_of(capability)

    found = highest_rate(HELD, run, most, cores=2)

    assert found.readings_per_second == highest
    assert len(tried) <= most
    assert [attempt.held for attempt in found.attempts] == [125_000 * factor <= capability for factor in tried]


def test_rates_that_are_near_one_another_are_not_told_apart() -> None:
    run, tried = capable_of(126_000)

    highest_rate(HELD, run, 100, cores=2)

    assert len(tried) <= 10


def test_a_rate_that_is_missed_is_tried_once_more() -> None:
    capable, tried = capable_of(425_000)

    def run(factor: float) -> Run:
        found = capable(factor)
        return replace(found, late_part=0.01) if len(tried) == 1 else found

    found = highest_rate(HELD, run, 3, cores=2)

    assert [(attempt.factor, attempt.held) for attempt in found.attempts] == [(3.4, False), (3.4, True), (4.25, False)]
    assert found.readings_per_second == 425_000


def test_a_fleet_of_half_the_size_has_half_of_everything() -> None:
    million = load_scenario("million")

    half = scaled(million, 0.5)

    assert half.nodes == million.nodes / 2
    assert sum(half.accelerators(shipped_catalogue()).values()) == 500_000
    assert half.sites["memphis"].supply_mw == million.sites["memphis"].supply_mw / 2
    assert not half.sites["memphis"].timeline


def test_a_window_holds_its_end_and_not_its_begin() -> None:
    window = Window(1000, 5000)

    assert [window.holds(instant) for instant in (1000, 1001, 5000, 5001)] == [False, True, True, False]
    assert (window.half, window.seconds) == (3000, 4.0)


def test_a_share_counts_a_function_once_a_stack_however_often_it_stands_there() -> None:
    stacks = ["main (cli/main.py:1);fold (twin/site.py:3);fold (twin/site.py:9) 3", "main (cli/main.py:1) 1", "torn \0"]

    found = {share.function: (share.inclusive, share.own) for share in shares(stacks)}

    assert found == {"main (cli/main.py)": (1.0, 0.25), "fold (twin/site.py)": (0.75, 0.75)}


def test_a_report_says_what_was_not_measured() -> None:
    lines = table({"machine": {"cores": 2}, "versions": {}, "end_to_end": None, "ratios": {"quix": None}}).splitlines()

    assert lines[0] == "cores 2"
    assert "| readings a second, end to end | not measured |" in lines
    assert "| readings per CPU second beside quix | not measured |" in lines
    assert "| highest rate held, readings a second | not measured |" in lines


def test_a_report_gives_the_figures_of_a_run() -> None:
    said = table({"machine": {}, "versions": {}, "end_to_end": HELD.report(), "highest_rate": 250_000})

    assert "| readings a second, end to end | 125,000 for 120 s, 1,000,000 accelerators; held |" in said
    assert "| CPU seconds per million readings | 4.00: twin 2.0, kafka 1.0, timescaledb 1.0 |" in said
    assert "| highest rate held, readings a second | 250,000 |" in said
