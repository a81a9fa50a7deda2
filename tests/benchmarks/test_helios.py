"""The benchmark on Helios: what is an episode, found, late, a flap, named; and that the twin finds and names them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.helios import HYSTERESIS, Span, Told, Truth, folded, instant, read_truth, scored
from models.instants import moment_of
from models.record import Outgoing
from models.topics import SHORTAGES
from streams.traces.helios import MINUTE, RULES, read_tenants, tenant_steps
from streams.traces.inventory import inventory_records
from tests.traces import shared

COLLECTION = "helios-earth-vc"
START = instant("2020-05-01 00:00:00")
COLUMNS = ("time", "total_gpu_num", "running_gpu_num", "pending_gpu_num")
ROOT = Path(__file__).parents[2]

SERVED, OVER, WITHIN = (16, 8, 0), (16, 16, 4), (16, 8, 8)
"""Capacity, running, pending."""

Counts = tuple[int, int, int]


def written(folder: Path, tenant: str, minutes: Iterable[Counts | None]) -> Path:
    """A tenant's file, minute by minute from the start; none is a minute without a row."""
    with (folder / f"{tenant}.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(COLUMNS)
        for at, counts in enumerate(minutes):
            if counts is not None:
                lines.writerow((f"{moment_of(START + at * MINUTE):%Y-%m-%d %H:%M:%S}", *counts))
    return folder


def span(tenant: str, first: int, end: int) -> Span:
    """Minutes after the start."""
    return Span(tenant, START + first * MINUTE, START + end * MINUTE)


def scores(folder: Path, hysteresis: str, **part: Any) -> dict[str, Any]:
    """What the whole twin makes of a folder."""
    begin, until, tenants = part.get("begin"), part.get("until"), part.get("tenants", ())
    steps = tenant_steps(read_tenants(folder, tenants, begin, until))
    truth = read_truth(folder, tenants, begin or 0, until)
    return scored(truth, folded(inventory_records(steps, "traces/test", RULES.tick), HYSTERESIS[hysteresis], truth))


def told(truth: Truth, *shortages: tuple[str, str, int, int | None]) -> Told:
    """What is told of shortages of these tenants and resources that are opened and resolved at these minutes."""
    found = Told(truth)
    for number, (tenant, resource, opened, resolved) in enumerate(shortages):
        for change, at in (("opened", opened), ("resolved", resolved)):
            if at is not None:
                event = {
                    "id": str(number),
                    "change": change,
                    "scope": {"kind": "project", "name": tenant},
                    "resource": {"kind": resource},
                    "binding": {"constraint": "accelerators"},
                    "at": moment_of(START + at * MINUTE).isoformat(),
                    "resolved_at": moment_of(START + at * MINUTE).isoformat(),
                }
                found.take(Outgoing(SHORTAGES, b"", json.dumps(event).encode(), (), ""))
    return found


@pytest.mark.parametrize(
    ("minutes", "episodes"),
    [
        pytest.param([SERVED, SERVED], [], id="none"),
        pytest.param([SERVED, OVER, WITHIN, SERVED], [(1, 3)], id="whatever-binds"),
        pytest.param([OVER, SERVED, OVER], [(0, 1), (2, 3)], id="open-at-both-ends"),
        pytest.param([OVER, None, None, OVER, SERVED], [(0, 4)], id="a-gap-changes-nothing"),
        pytest.param([OVER, None, None, SERVED], [(0, 3)], id="a-gap-is-as-the-minute-before"),
    ],
)
def test_an_episode_is_a_longest_run_of_minutes_with_pending_accelerators(
    tmp_path: Path, minutes: list[Counts | None], episodes: list[tuple[int, int]]
) -> None:
    truth = read_truth(written(tmp_path, "vcA", minutes))

    assert truth.episodes == tuple(span("vcA", *episode) for episode in episodes)


def test_an_episode_under_way_at_the_end_of_a_file_lasts_as_long_as_others_have_rows(tmp_path: Path) -> None:
    written(tmp_path, "vcA", [SERVED, OVER])

    truth = read_truth(written(tmp_path, "vcB", [SERVED] * 5))

    assert truth.episodes == (span("vcA", 1, 5),)


TRUTH = Truth({START + at * MINUTE: {"vcA": "served"} for at in range(60)}, (span("vcA", 10, 20), span("vcA", 40, 42)))


@pytest.mark.parametrize(
    ("shortages", "recall", "precision", "lag"),
    [
        pytest.param([], 0.0, None, None, id="nothing-told"),
        pytest.param([("vcA", "accelerators", 10, 20)], 0.5, 1.0, 0, id="at-once"),
        pytest.param(
            [("vcA", "unplaced", 13, 20), ("vcA", "accelerators", 11, 20)], 0.5, 1.0, 60, id="the-first-counts"
        ),
        pytest.param([("vcA", "unplaced", 5, 50)], 1.0, 1.0, 0, id="one-over-both"),
        pytest.param(
            [("vcA", "unplaced", 5, 10), ("vcA", "unplaced", 20, None)], 0.5, 0.5, 0, id="touching-is-not-enough"
        ),
        pytest.param([("vcB", "accelerators", 10, 20)], 0.0, 0.0, None, id="another-tenant"),
    ],
)
def test_an_episode_is_found_by_a_shortage_of_its_tenant_that_overlaps_it(
    shortages: list[tuple[str, str, int, int | None]], recall: float, precision: float | None, lag: float | None
) -> None:
    found = scored(TRUTH, told(TRUTH, *shortages))

    assert (found["recall"], found["precision"], found["lag_seconds"]["max"]) == (recall, precision, lag)


@pytest.mark.parametrize(
    ("again", "flaps"),
    [
        pytest.param(("vcA", "unplaced", 25, None), 1, id="five-minutes-after"),
        pytest.param(("vcA", "unplaced", 26, None), 0, id="six-minutes-after"),
        pytest.param(("vcA", "accelerators", 21, None), 0, id="another-resource"),
        pytest.param(("vcB", "unplaced", 21, None), 0, id="another-tenant"),
    ],
)
def test_a_flap_is_told_open_within_five_minutes_of_being_told_resolved(
    again: tuple[str, str, int, int | None], flaps: int
) -> None:
    assert scored(TRUTH, told(TRUTH, ("vcA", "unplaced", 10, 20), again))["flaps"] == flaps


def test_without_hysteresis_every_minute_is_told_at_once_as_what_it_is(tmp_path: Path) -> None:
    grown = (24, 20, 4)
    written(tmp_path, "vcA", [SERVED, OVER, WITHIN, grown, SERVED, WITHIN, (8, 8, 1), SERVED])

    found = scores(written(tmp_path, "vcB", [OVER, SERVED, OVER, SERVED]), "off")

    assert (found["episodes"], found["found"], found["recall"], found["precision"]) == (4, 4, 1.0, 1.0)
    assert found["lag_seconds"] == {"p50": 0.0, "max": 0.0}
    assert found["minutes"]["over_capacity"] == {"minutes": 4, "binds": 4, "unplaced": 0}
    assert found["minutes"]["within_capacity"] == {"minutes": 3, "binds": 0, "unplaced": 3}
    assert found["minutes"]["served"] == {"minutes": 5, "binds": 0, "unplaced": 0}
    assert found["flaps"] == 3


def test_what_of_the_pending_could_be_had_is_told_beside_what_could_not(tmp_path: Path) -> None:
    found = scores(written(tmp_path, "vcA", [SERVED, (16, 12, 8), SERVED]), "off")

    assert found["minutes"]["over_capacity"] == {"minutes": 1, "binds": 1, "unplaced": 1}


def test_with_hysteresis_short_episodes_are_kept_back_and_none_flaps(tmp_path: Path) -> None:
    flapping = [OVER, SERVED] * 10
    lasting = [*[OVER] * 8, SERVED, SERVED, *[OVER] * 8, *[SERVED] * 10]

    found = scores(written(tmp_path, "vcA", [*flapping, *lasting]), "on")

    assert found["long"] == {"episodes": 2, "found": 2, "recall": 1.0}
    assert (found["found"], found["flaps"], found["precision"]) == (2, 0, 1.0)
    assert found["kinds"]["accelerators"]["shortages"] == 1
    assert found["lag_seconds"]["max"] == 300.0


def test_the_command_prints_every_figure_with_hysteresis_off_and_on(tmp_path: Path) -> None:
    written(tmp_path, "vcA", [SERVED, OVER, SERVED])
    command = [sys.executable, "-m", "benchmarks.helios", "--folder", str(tmp_path)]

    printed = json.loads(subprocess.run([*command, "--json"], cwd=ROOT, check=True, capture_output=True).stdout)

    for name in ("episodes", "found", "recall", "precision", "lag_seconds", "flaps"):
        assert printed[name].keys() == {"off", "on"}
    assert printed["lag_seconds"]["off"] == {"p50": 0.0, "max": 0.0}
    assert printed["lag_seconds"]["on"] == {"p50": None, "max": None}
    assert printed["recall"] == {"off": 1.0, "on": 0.0}


def test_a_folder_without_tenants_is_named_and_ends_with_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.helios", "--folder", str(tmp_path)]

    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].endswith(
        f"is {str(tmp_path)!r}; expected a folder with vc*.csv or vc*.csv.gz"
    )


@pytest.mark.parametrize("hysteresis", ["off", "on"])
def test_real_shortages_are_found_at_once_and_named_after_what_they_are(hysteresis: str) -> None:
    found = scores(
        shared(COLLECTION),
        hysteresis,
        tenants=("vc6YE", "vc8Sj", "vcvlY"),
        begin=instant("2020-05-14 21:00:00"),
        until=instant("2020-05-15 02:00:00"),
    )

    assert found["precision"] == 1.0
    assert found["long"]["recall"] == 1.0
    if hysteresis == "on":
        assert found["flaps"] == 0
        return
    assert (found["recall"], found["lag_seconds"]["max"]) == (1.0, 0.0)
    over, within, served = found["minutes"].values()
    assert over["binds"] == over["minutes"] > 100
    assert (within["binds"], within["unplaced"]) == (0, within["minutes"])
    assert within["minutes"] > 50
    assert (served["binds"], served["unplaced"]) == (0, 0)
