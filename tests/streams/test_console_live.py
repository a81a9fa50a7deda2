"""The console's picture of the fleet: its history, and how a long backlog becomes the same picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.record import Record
from models.shortage import Change
from models.state import SiteState
from models.topics import OPEN_SHORTAGES
from streams.console.history import SPAN_MILLISECONDS, Trail
from streams.console.live import LiveFleet
from tests.builders import CATALOGUE, SITE, T0, view
from tests.console_builders import event, shortage_record, site_record, tick_records
from twin.states import site_state


def state_at(tick: int, **said: Any) -> SiteState:
    return site_state(view(**said), tick, CATALOGUE, 0)


@pytest.mark.parametrize(
    ("ticks", "kept"),
    [
        pytest.param([0, 9_999, 10_000, 19_000, 30_000], [0, 10_000, 30_000], id="a-step-apart"),
        pytest.param([0, 10_000, SPAN_MILLISECONDS], [0, 10_000, SPAN_MILLISECONDS], id="the-whole-span"),
        pytest.param([0, 10_000, SPAN_MILLISECONDS + 1], [10_000, SPAN_MILLISECONDS + 1], id="no-more-than-the-span"),
        pytest.param([20_000, 10_000, 20_000], [20_000], id="never-backwards"),
        pytest.param([0, 10**12], [10**12], id="after-a-jump-only-what-is-new"),
    ],
)
def test_points_are_kept_a_step_apart_for_a_span(ticks: list[int], kept: list[int]) -> None:
    trail = Trail(10_000)
    for tick in ticks:
        trail.take(state_at(T0 + tick))

    assert [point.timestamp() * 1000 - T0 for point in trail.history().tick] == kept


def test_a_site_without_facts_is_charted_by_its_own_watts() -> None:
    trail = Trail(1)
    trail.take(state_at(T0, milliwatts=5000, supply_watts=None))
    trail.take(state_at(T0 + 1000, milliwatts=5000, supply_watts=10.0, pue=2.0))

    assert trail.history().facility_watts == (5.0, 10.0)
    assert trail.history().supply_watts == (None, 10.0)


def backlog() -> list[Record]:
    """A minute of ticks of two sites, one of which ends earlier."""
    records: list[Record] = []
    for second in range(60):
        sites = [SITE, "b"] if second < 47 else [SITE]
        records += tick_records(T0 + second * 1000, len(records), sites)
    return records


def test_a_backlog_gives_the_picture_that_following_all_along_would_have_given() -> None:
    late, along = LiveFleet(), LiveFleet()
    along.settle()
    for one in backlog():
        late.take(one)
        along.take(one)
    late.settle()

    assert late.watch.sites == along.watch.sites
    assert late.watch.fleet == along.watch.fleet
    assert [late.site_history(site) for site in (SITE, "b")] == [along.site_history(site) for site in (SITE, "b")]
    assert late.fleet_history() == along.fleet_history()
    assert late.feed.place.states == len(backlog())


def test_of_a_backlog_only_what_is_shown_is_looked_into() -> None:
    live = LiveFleet()
    for one in backlog():
        live.take(one)

    assert live.watch.site_states == 6 + 5


def test_a_broken_record_that_was_put_off_keeps_nobody_from_the_rest() -> None:
    live = LiveFleet()
    for one in (
        site_record(SITE, T0),
        replace(site_record(SITE, T0 + 1000), value=b"{"),
        *tick_records(T0 + 1000, 2, ["b"]),
    ):
        live.take(one)
    live.settle()

    assert sorted(live.watch.sites) == ["b", SITE]


def test_what_is_open_is_known_from_the_compacted_topic_and_what_became_of_it_from_the_other() -> None:
    live = LiveFleet()
    tombstone = Record(OPEN_SHORTAGES, 0, 3, T0, b"gone", None)
    standing = [shortage_record(event(id_), topic=OPEN_SHORTAGES) for id_ in ("old", "passes")]
    for one in (*standing, tombstone, shortage_record(event("passes", 1, Change.RESOLVED), 9)):
        live.take(one)
    live.settle()

    assert [one.id for one in live.watch.open_shortages] == ["old"]
    assert [one.id for one in live.resolved_shortages] == ["passes"]
    assert live.feed.place.shortages == 10


def test_once_all_is_read_the_compacted_topic_says_nothing_new() -> None:
    live = LiveFleet()
    live.settle()
    live.take(shortage_record(event("early"), topic=OPEN_SHORTAGES))

    assert live.watch.open_shortages == []


def test_delays_are_told_of_what_is_seen_as_it_comes() -> None:
    heard: list[float] = []
    live = LiveFleet(on_site_state=heard.append)
    live.take(site_record(SITE, T0))
    live.settle()
    live.take(site_record(SITE, T0 + 1000))

    assert heard == [0.6]
