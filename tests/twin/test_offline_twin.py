"""The whole twin: how the topics and partitions interleave, and how many partitions there are, does not show."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.record import Record
from models.topics import DEMAND, LEDGER, SHORTAGES, SITES, STATE, TELEMETRY, dead_letters
from tests.builders import CATALOGUE, T0, clock, demand, ended, facts, frame, in_ledger, numbered, row
from twin.offline import OfflineTwin
from twin.rules import Rules

RULES = Rules(stale_after=2000, lost_after=4000, node_interval=2000, open_after=1000, resolve_after=1000)
NAMES = ("memphis", "abilene", "lulea", "dublin")


def story() -> list[Record]:
    """Four sites for twelve seconds: one falls silent, demand comes, grows, is odd, and ends."""
    records = [clock(T0 - 1000 + RULES.grace, topic) for topic in (TELEMETRY, SITES, DEMAND)]
    records += [facts(site, T0 - 500, 30_000.0 + 1000 * place) for place, site in enumerate(NAMES[:3])]
    said = {
        1: [demand("d", T0 + 900, wanted=30), demand("odd", T0 + 900, sites=["nowhere"])],
        4: [demand("d", T0 + 3900, wanted=60, priority=90), demand("e", T0 + 3900, wanted=9, sites=["memphis"])],
        7: [ended("d", T0 + 6900), facts("memphis", T0 + 6900, 1e6)],
    }
    for second in range(12):
        now = T0 + second * 1000
        for place, site in enumerate(NAMES):
            if site != "lulea" or second < 5:
                nodes = [row(f"n{i}", now - 100 * i, power_watts=4000.0 + second, allocated=place) for i in range(4)]
                records.append(frame(nodes, site))
        records += [*said.get(second, []), *(clock(now + RULES.grace, topic) for topic in (TELEMETRY, SITES, DEMAND))]
    return records


def told(records: list[Record], partitions: int, ledger_given: bool = False) -> tuple[list[tuple[str, Any]], str]:
    """States without intake, shortages and dead letters, in order; and the digest."""
    twin = OfflineTwin(RULES, CATALOGUE, partitions, ledger_given)
    outputs = [output for one in records for output in twin.fold(one)]
    known = []
    for output in outputs:
        if output.topic in {STATE, SHORTAGES}:
            body = orjson.loads(output.value or b"")
            body.pop("intake", None)
            known.append((output.identity, body))
        elif output.topic == dead_letters(DEMAND):
            known.append((output.identity, output.value))
    return known, twin.digest()


@lru_cache
def plain() -> tuple[list[tuple[str, Any]], str]:
    return told(list(numbered(story())), 1)


@settings(max_examples=25, deadline=None)
@given(partitions=st.sampled_from((1, 3, 12)), random=st.randoms(use_true_random=False))
def test_partitions_and_topics_may_interleave_in_any_way(partitions: int, random: Random) -> None:
    queues: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for one in numbered(story(), partitions):
        queues[one.topic, one.partition].append(one)
    left = [place for place, queue in queues.items() for _ in queue]
    random.shuffle(left)
    places = {place: iter(queue) for place, queue in queues.items()}
    mixed = [next(places[place]) for place in left]

    assert told(mixed, partitions) == plain()


def test_the_story_has_shortages_that_open_and_resolve_and_a_site_that_falls_silent() -> None:
    known, _ = plain()
    changes = {body["change"] for identity, body in known if "#" in identity}
    lost = [body["nodes"]["lost"] for identity, body in known if identity.startswith("site/lulea")]

    assert changes == {"opened", "updated", "resolved"}
    assert lost[-1] == 4


@pytest.mark.parametrize("partitions", [pytest.param(1, id="one-partition"), pytest.param(3, id="three")])
def test_folding_the_ledger_as_it_was_written_gives_what_folding_the_inputs_gives(partitions: int) -> None:
    records = list(numbered(story(), partitions))
    twin = OfflineTwin(RULES, CATALOGUE, partitions)
    ledger = in_ledger([output for one in records for output in twin.fold(one) if output.topic == LEDGER])
    telemetry = [one for one in records if one.topic == TELEMETRY]

    assert told([*telemetry, *ledger], partitions, ledger_given=True) == plain()


def test_facts_of_one_instant_are_resolved_alike_whatever_the_order_and_whatever_is_repeated() -> None:
    one, other = facts("memphis", T0 - 500, 30_000.0), facts("memphis", T0 - 500, 40_000.0)

    def after(*stated: Record) -> tuple[list[tuple[str, Any]], str]:
        later = [clock(T0 + 2000 + RULES.grace, topic) for topic in (TELEMETRY, SITES, DEMAND)]
        begun = [clock(T0 - 1000 + RULES.grace, topic) for topic in (TELEMETRY, SITES, DEMAND)]
        again = [clock(T0 + RULES.grace, topic) for topic in (TELEMETRY, SITES, DEMAND)]
        return told(list(numbered([*begun, *stated[:2], *again, *stated[2:], *later])), 1)

    assert after(one, other) == after(other, one) == after(one, other, one) == after(one, other, other)


def test_topics_that_the_twin_does_not_read_say_nothing() -> None:
    twin = OfflineTwin(RULES, CATALOGUE, 1)

    assert twin.fold(Record(STATE, 0, 0, T0, None, b"{}")) == []


@pytest.mark.parametrize("partitions", [1, 3, 12])
def test_a_long_jump_of_the_clock_shows_the_same_ticks_however_sites_share_partitions(partitions: int) -> None:
    hour = 3_600_000
    everywhere = (TELEMETRY, SITES, DEMAND)
    records = [
        *(clock(T0 + RULES.grace, topic) for topic in everywhere),
        frame([row("n", T0 + 500, power_watts=4000.0)], "memphis"),
        frame([row("n", T0 + 500, power_watts=4000.0), row("n", T0 + hour, power_watts=5000.0)], "lulea"),
        *(clock(T0 + 2 * hour + RULES.grace, topic) for topic in everywhere),
    ]

    known, digest = told(list(numbered(records, partitions)), partitions)

    assert (known, digest) == told(list(numbered(records)), 1)
    ticks = {identity.partition("@")[2] for identity, _ in known if identity.startswith("fleet/")}
    assert ticks == {str(T0 + offset) for offset in (1000, hour, 2 * hour)}
