"""What a worker's log and the ledger say of its recovery, read as it is meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from benchmarks.checkpoints import WINDOW_SECONDS, size_within
from benchmarks.fleets import uniform_fleet, write_scenario
from benchmarks.ledger import LedgerTail
from benchmarks.recovery import opening
from models.ledger import Samples
from models.record import Record
from models.scenario import load_scenario
from models.topics import SITE_CHECKPOINTS

MARK = 10_000
LOG = """2026-11-29T10:00:03.500000Z [info     ] joining                        group=twin
2026-11-29T10:00:05.250000Z [info     ] lanes open                     lanes=15 seconds=1.125
"""


def step(partition: int, through: int) -> Samples:
    return Samples(partition=partition, partitions=2, after=None, through=through, ticks=(), samples=())


def tail() -> LedgerTail:
    return LedgerTail(cast(Any, None), partitions=2, mark=MARK)


def test_joining_and_opening_are_read_from_the_log() -> None:
    joined, opened, seconds = opening(LOG)

    assert datetime.fromtimestamp(joined, UTC).isoformat() == "2026-11-29T10:00:03.500000+00:00"
    assert (opened - joined, seconds) == (1.75, 1.125)


def test_a_worker_that_opened_nothing_has_not_recovered() -> None:
    with pytest.raises(ValueError, match="no lanes"):
        opening(LOG.splitlines()[0])


def test_the_ledger_has_gone_on_once_every_partition_has() -> None:
    ledger = tail()
    ledger.note(step(0, MARK + 1), MARK + 5)
    before = ledger.went_on
    ledger.note(step(1, MARK + 1), MARK + 7)
    ledger.note(step(1, MARK + 2), MARK + 9)

    assert (before, ledger.went_on, ledger.first_after) == (False, True, {0: MARK + 5, 1: MARK + 7})


@pytest.mark.parametrize(
    ("through", "taken_in"),
    [
        pytest.param(MARK, MARK + 5, id="of-a-tick-before-the-kill"),
        pytest.param(MARK + 1, MARK, id="in-the-ledger-before-the-kill"),
    ],
)
def test_what_is_not_later_than_the_mark_does_not_count(through: int, taken_in: int) -> None:
    ledger = tail()
    ledger.note(step(0, through), taken_in)

    assert ledger.first_after == {}


@pytest.mark.parametrize(
    ("age", "counted"),
    [
        pytest.param(0, 8, id="just-now"),
        pytest.param(WINDOW_SECONDS * 1000 - 1, 8, id="the-windows-first"),
        pytest.param(WINDOW_SECONDS * 1000, 0, id="before-the-window"),
        pytest.param(-1, 0, id="after-the-window"),
    ],
)
def test_keys_and_values_within_the_window_count(age: int, counted: int) -> None:
    now = 1_000_000

    assert size_within(Record(SITE_CHECKPOINTS, 0, 0, int(now - age), b"key", b"value"), now) == counted


def test_nodes_are_shared_out_evenly_and_none_is_lost(tmp_path: Any) -> None:
    fleet = load_scenario(str(write_scenario(uniform_fleet(103, 10), tmp_path / "fleet.yaml")))

    assert sorted(site.nodes for site in fleet.sites.values()) == [10] * 7 + [11] * 3
