"""What rivals are held to, and how they are compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.report import ABSENT
from benchmarks.rivals import quix, telegraf
from benchmarks.rivals.__main__ import table, told
from benchmarks.rivals.comparison import RATIOS, Comparison, Run, ratios
from benchmarks.rivals.readings import START, Load
from benchmarks.rivals.sums import SECOND, SiteSum, Sums, first_difference
from models.errors import Unavailable

FIRST = START + SECOND
OURS: Sums = {
    ("abilene", FIRST): SiteSum(10, 70_000_000),
    ("abilene", FIRST + SECOND): SiteSum(11, 77_000_000),
    ("memphis", FIRST): SiteSum(20, 140_000_000),
    ("memphis", FIRST + SECOND): SiteSum(20, 141_000_000),
}
SITES = ("abilene", "memphis")
TICKS = range(FIRST, FIRST + 2 * SECOND, SECOND)


def test_the_same_sums_differ_in_nothing() -> None:
    assert first_difference("faust", OURS, dict(OURS), SITES, TICKS) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param(SiteSum(20, 140_999_999), "20 nodes, 140999999 mW", id="another-draw"),
        pytest.param(SiteSum(19, 141_000_000), "19 nodes, 141000000 mW", id="another-number-of-nodes"),
        pytest.param(None, "nothing", id="nothing-said"),
    ],
)
def test_a_difference_names_contestant_site_and_both_values(changed: SiteSum | None, said: str) -> None:
    place = ("memphis", FIRST + SECOND)
    theirs = {key: value for key, value in OURS.items() if key != place} | ({place: changed} if changed else {})

    difference = first_difference("faust", OURS, theirs, SITES, TICKS)

    assert str(difference) == (
        f"faust differs: memphis at {FIRST + SECOND} has {said}, ours has 20 nodes, 141000000 mW"
    )


def test_what_we_do_not_say_ourselves_is_a_difference_even_if_nobody_says_it() -> None:
    assert first_difference("quix", {}, {}, ("abilene",), TICKS) is not None


def test_sites_and_seconds_beyond_those_asked_for_are_let_be() -> None:
    theirs = {**OURS, ("abilene", FIRST + 9 * SECOND): SiteSum(1, 1), ("elsewhere", FIRST): SiteSum(1, 1)}

    assert first_difference("telegraf", OURS, theirs, SITES, TICKS) is None


def test_a_ratio_is_ours_by_theirs_per_cpu_second_whatever_each_has_read() -> None:
    runs = {
        "twin": run("twin", readings=1_000_000, cpu=5.0),
        "twin and store": run("twin and store", readings=1_000_000, cpu=8.0),
        "faust": run("faust", readings=10_000, cpu=5.0),
        "ceiling": run("ceiling", readings=1_000_000, cpu=2.0),
    }

    assert ratios(runs) == {"faust_idiomatic": 100.0, "quix": None, "telegraf": None, "ceiling": 0.25}


def test_work_too_short_for_the_clock_of_the_processor_is_compared_with_nothing() -> None:
    runs = {
        "twin": run("twin", readings=1_000, cpu=0.01),
        "twin and store": run("twin and store", readings=1_000, cpu=0.02),
        "ceiling": run("ceiling", readings=1_000, cpu=0.0),
    }
    comparison = Comparison(tuple(runs.values()), ratios(runs), {})

    assert comparison.ratios["ceiling"] is None
    assert '"readings_per_cpu_second": null' in json.dumps(told(comparison))
    assert [line for line in table(comparison).splitlines() if "ceiling" in line and ABSENT in line]


def test_a_rival_that_is_not_here_is_told_in_a_line_and_has_no_ratio() -> None:
    comparison = Comparison(
        (run("twin", readings=1_000, cpu=1.0),), dict.fromkeys(RATIOS), {"telegraf": "Telegraf: it has not been built"}
    )

    assert "not compared: Telegraf: it has not been built" in table(comparison).splitlines()


def test_programs_are_told_what_is_compared_of_each_contestant() -> None:
    found = told(Comparison((run("twin", readings=1_000, cpu=0.5),), {"telegraf": None}, {}))

    assert found["runs"] == [
        {
            "contestant": "twin",
            "readings": 1_000,
            "cpu_seconds": 0.5,
            "kafka_cpu_seconds": 0.0,
            "database_cpu_seconds": 0.0,
            "readings_per_cpu_second": 2_000,
        }
    ]
    assert found["ratios"] == {"telegraf": None}


def test_telegraf_that_has_not_been_built_is_unavailable_and_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"python -m benchmarks\.rivals\.telegraf"):
        telegraf.built(tmp_path)


def test_a_load_says_which_seconds_are_closed() -> None:
    load = Load(seconds=30, single_seconds=2)

    assert (load.ticks[0], load.ticks[-1], len(load.ticks)) == (FIRST, START + 30 * SECOND, 30)
    assert list(load.single_ticks) == [FIRST, FIRST + SECOND]


def test_quix_is_installed_from_hashes_and_from_no_index_by_address() -> None:
    lines = quix.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith((" ", "#"))]

    assert any(line.startswith("quixstreams==") for line in packages)
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert not any("://" in line or "index-url" in line for line in lines)


def run(name: str, readings: int, cpu: float) -> Run:
    """A run of which only this matters."""
    return Run(name, readings, cpu, kafka_cpu_seconds=0.0, database_cpu_seconds=0.0)
