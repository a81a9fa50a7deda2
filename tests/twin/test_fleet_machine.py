"""The fleet machine: which ticks close, who is away, and what repeats of the ledger do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demand import DemandRevised
from models.ledger import Samples
from models.record import Outgoing, Record
from models.sample import SiteSample
from models.topics import DEAD_LETTERS, DEMAND, INPUTS, LEDGER, SHORTAGES, SITES, STATE, dead_letters
from tests.builders import CATALOGUE, T0, clock, demand, facts, in_ledger, numbered, pool, sample, tenant
from twin.admission import admit, presence
from twin.fleet import FleetMachine
from twin.planner import Assessment, Quotas
from twin.rules import Rules
from twin.view import SiteView

RULES = Rules(open_after=0, resolve_after=0)
H100 = pool(installed=8, in_service=8, free=8)


def step(partition: int, after: int | None, through: int, *samples: SiteSample, partitions: int = 2) -> Outgoing:
    """What a partition closed, in seconds after T0; every tick on the way."""
    ticks = [] if after is None else range(T0 + (after + 1) * 1000, T0 + through * 1000 + 1, 1000)
    closed = Samples(
        partition=partition,
        partitions=partitions,
        after=None if after is None else T0 + after * 1000,
        through=T0 + through * 1000,
        ticks=tuple(ticks),
        samples=samples,
    )
    return Outgoing(LEDGER, b"", closed.model_dump_json().encode(), (), f"{partition}@{through}", 0)


def sites_and_demand(*records: Record) -> list[Outgoing]:
    return [admit(one, CATALOGUE) for one in numbered(records)]


def passed(second: int) -> list[Record]:
    """Both clocks."""
    return [clock(T0 + second * 1000 + RULES.grace, topic) for topic in (SITES, DEMAND)]


def at(second: int, site: str = "a") -> SiteSample:
    return sample(site, T0 + second * 1000, (H100,), milliwatts=1_000_000)


def away(partition: int) -> Outgoing:
    return presence(partition, away=True, instant=T0)


def back(partition: int) -> Outgoing:
    return presence(partition, away=False, instant=T0)


def fold(entries: Iterable[Outgoing], machine: FleetMachine | None = None) -> list[Outgoing]:
    machine = machine or FleetMachine(RULES, CATALOGUE)
    return [output for one in in_ledger(entries) for output in machine.fold(one)]


def states(outputs: Iterable[Outgoing], key: str) -> list[dict[str, Any]]:
    return [
        orjson.loads(output.value or b"")
        for output in outputs
        if output.topic == STATE and output.identity.startswith(f"{key}@")
    ]


def closed(entries: Iterable[Outgoing]) -> list[int]:
    """The ticks that close, in seconds after T0."""
    return [
        (int(output.identity.partition("@")[2]) - T0) // 1000
        for output in fold(entries)
        if output.identity.startswith("fleet/")
    ]


CLOCKS = sites_and_demand(*passed(9))
BOTH = [step(0, None, 0), step(1, None, 0)]


@pytest.mark.parametrize(
    ("entries", "ticks"),
    [
        pytest.param([*BOTH, step(0, 0, 2), step(1, 0, 1), *CLOCKS], [1], id="as-far-as-the-slowest-partition"),
        pytest.param([*CLOCKS, *BOTH, step(0, 0, 2), step(1, 0, 2)], [1, 2], id="whatever-comes-last"),
        pytest.param([*BOTH, step(0, 0, 2), step(1, 0, 2), CLOCKS[0]], [], id="not-without-the-clock-of-demand"),
        pytest.param([*BOTH, step(0, 0, 2), step(1, 0, 2), CLOCKS[1]], [], id="not-without-the-clock-of-sites"),
        pytest.param(
            [*BOTH, step(0, 0, 2), step(1, 0, 2), *sites_and_demand(*passed(1))], [1], id="as-far-as-the-clocks"
        ),
        pytest.param([BOTH[0], step(0, 0, 2), *CLOCKS], [], id="not-before-every-partition-has-spoken"),
        pytest.param([BOTH[0], step(0, 0, 2), *CLOCKS, away(1)], [1, 2], id="unless-it-is-away"),
        pytest.param([*BOTH, step(0, 0, 2), *CLOCKS, away(1)], [1, 2], id="nobody-waits-for-a-partition-away"),
        pytest.param([*BOTH, step(0, 0, 2), *CLOCKS, away(0)], [], id="but-for-the-others"),
        pytest.param(
            [*BOTH, *CLOCKS, away(1), step(0, 0, 2), back(1), step(0, 2, 4), step(1, 0, 3)],
            [1, 2, 3],
            id="one-that-is-back-is-waited-for-again",
        ),
        pytest.param([*BOTH, step(0, 0, 1), step(1, 1, 2), *CLOCKS], [], id="a-step-whose-predecessor-is-missing"),
        pytest.param(
            [*BOTH, step(0, 0, 2), step(1, 1, 2), step(1, 0, 1), step(1, 1, 2), *CLOCKS],
            [1, 2],
            id="which-comes-later-and-then-it-again",
        ),
    ],
)
def test_a_tick_closes_when_all_that_are_waited_for_have_passed_it(entries: list[Outgoing], ticks: list[int]) -> None:
    assert closed(entries) == ticks


def test_sites_of_a_partition_away_are_carried_as_unknown() -> None:
    entries = [
        *sites_and_demand(facts("b", T0), *passed(9)),
        *BOTH,
        step(0, 0, 1, at(1, "a")),
        step(1, 0, 1, at(1, "b")),
        away(1),
        step(0, 1, 2, at(2, "a")),
        back(1),
        step(0, 2, 3, at(3, "a")),
        step(1, 1, 3, at(2, "b"), at(3, "b")),
    ]
    found = [
        (one["presence"], one["installed"], one["free"], one["unknown"], one["power"]["it_measured"])
        for one in states(fold(entries), "site/b")
    ]

    assert found == [("present", 8, 8, 0, 1000.0), ("away", 8, 0, 8, 0.0), ("present", 8, 8, 0, 1000.0)]


def test_the_watts_of_a_site_away_are_carried() -> None:
    entries = [*CLOCKS, *BOTH, step(0, 0, 1, at(1, "a")), step(1, 0, 1), away(0), step(1, 1, 2)]
    (_, state) = states(fold(entries), "fleet/fleet")

    assert (state["sites_present"], state["sites_away"]) == (0, 1)
    assert (state["power"]["it_measured"], state["power"]["it_carried"]) == (0.0, 1000.0)


def test_a_site_known_from_facts_alone_is_never_seen() -> None:
    expected = [{"type": "h100-sxm", "nodes": 2, "accelerators": 16}]
    entries = [*sites_and_demand(facts("b", T0, expected=expected), *passed(9)), *BOTH, step(0, 0, 1), step(1, 0, 1)]
    (state,) = states(fold(entries), "site/b")

    assert (state["presence"], state["unknown"], state["nodes"]["never_seen"]) == ("never_seen", 16, 2)


def test_what_is_expected_beyond_what_is_seen_is_unknown() -> None:
    expected = [{"type": "h100-sxm", "nodes": 3, "accelerators": 24}]
    entries = [
        *sites_and_demand(facts("a", T0, expected=expected), *passed(9)),
        *BOTH,
        step(0, 0, 1, at(1)),
        step(1, 0, 1),
    ]
    (state,) = states(fold(entries), "site/a")

    assert (state["installed"], state["unknown"], state["nodes"]["never_seen"]) == (8, 16, 2)


def test_facility_watts_are_it_watts_by_the_pue() -> None:
    entries = [*sites_and_demand(facts("a", T0, 1500.0, 1.25), *passed(9)), *BOTH, step(0, 0, 1, at(1)), step(1, 0, 1)]
    outputs = fold(entries)

    for key in ("site/a", "fleet/fleet"):
        (state,) = states(outputs, key)
        power = state["power"]
        assert (power["facility"], power["supply"], power["headroom"]) == (1250.0, 1500.0, 250.0)


def test_the_fleet_is_the_sum_of_its_sites() -> None:
    entries = [*CLOCKS, *BOTH, step(0, 0, 1, at(1, "a"), at(1, "c")), step(1, 0, 1, at(1, "b"))]
    outputs = fold(entries)
    (fleet,) = states(outputs, "fleet/fleet")
    sites = [state for key in ("site/a", "site/b", "site/c") for state in states(outputs, key)]

    for name in ("installed", "in_service", "allocated", "free", "unknown", "energy_joules", "h100e_free"):
        assert fleet[name] == sum(site[name] for site in sites)
    assert fleet["power"]["facility"] is None


def test_demand_at_a_site_nobody_knows_is_refused_once() -> None:
    asked = sites_and_demand(demand("odd", T0, sites=["nowhere"]), *passed(9))
    outputs = fold([*asked, *asked, *BOTH, step(0, 0, 2), step(1, 0, 2)])
    letters = [output for output in outputs if output.topic == dead_letters(DEMAND)]

    assert [dict(letter.headers)["__streams.errors.exception"] for letter in letters] == [b"unknown_site"]
    assert [state["demands"] for state in states(outputs, "fleet/fleet")] == [0, 0]


def test_the_fleets_state_tells_what_its_tenants_have_and_could_have() -> None:
    asked = [
        tenant("t", T0, quotas=[{"deserved": 8, "limit": 9}]),
        demand("d", T0, wanted=12, granted=4, tenant="t"),
        demand("e", T0, wanted=3),
    ]
    entries = [*sites_and_demand(*asked, *passed(9)), *BOTH, step(0, 0, 1, at(1)), step(1, 0, 1)]
    (fleet,) = states(fold(entries), "fleet/fleet")

    # five of eight free ones, as the limit leaves, and then the other demand's three
    assert (fleet["wanted"], fleet["granted"], fleet["pending"], fleet["servable"]) == (15, 4, 11, 8)
    assert fleet["tenants"] == [
        {
            "tenant": "t",
            "deserved": 8,
            "limit": 9,
            "wanted": 12,
            "granted": 4,
            "pending": 8,
            "used": 4,
            "starved": 4,
            "borrowing": 0,
            "servable": 5,
        }
    ]


@dataclass
class Witness:
    """A planner that remembers what it was asked."""

    asked: list[tuple[Sequence[DemandRevised], Quotas]] = field(default_factory=list)

    def assess(self, sites: Sequence[SiteView], demands: Sequence[DemandRevised], quotas: Quotas) -> Assessment:
        self.asked.append((demands, quotas))
        return Assessment((), {})


def test_the_planner_is_handed_the_same_demands_and_quotas_while_nothing_changes() -> None:
    machine, witness = FleetMachine(RULES, CATALOGUE), Witness()
    machine.planner = witness
    first = [tenant("t", T0, quotas=[{"limit": 9}]), demand("d", T0 + 1000)]
    more = [demand("e", T0 + 3000), tenant("u", T0 + 4000, quotas=[{"limit": 1}])]
    fold([*sites_and_demand(*first, *more, *passed(9)), *BOTH, step(0, 0, 4), step(1, 0, 4)], machine)
    demands, quotas = zip(*witness.asked, strict=True)

    assert [len(some) for some in demands] == [1, 1, 2, 2]
    assert [sorted(some) for some in quotas] == [["t"], ["t"], ["t"], ["t", "u"]]
    assert [before is after for before, after in pairwise(demands)] == [True, False, True]
    assert [before is after for before, after in pairwise(quotas)] == [True, True, False]


def test_a_shortage_of_a_project_is_not_one_of_the_site_of_its_name() -> None:
    asked = sites_and_demand(facts("b", T0), demand("d", T0, wanted=99, project="a", sites=["b"]), *passed(9))
    outputs = fold([*asked, *BOTH, step(0, 0, 1, at(1)), step(1, 0, 1)])

    assert [state["open_shortages"] for state in states(outputs, "site/a")] == [0]
    assert [state["open_shortages"] for state in states(outputs, "site/b")] == [1]
    assert [state["open_shortages"] for state in states(outputs, "fleet/fleet")] == [2]


def test_newer_facts_stand_whatever_the_order_in_which_they_come() -> None:
    newer, older = facts("a", T0 + 900, 2000.0), facts("a", T0, 1000.0)
    for order in ([newer, older], [older, newer]):
        (state,) = states(
            fold([*sites_and_demand(*order, *passed(9)), *BOTH, step(0, 0, 1, at(1)), step(1, 0, 1)]), "site/a"
        )
        assert state["power"]["supply"] == 2000.0


ENTITLED = tenant("t", T0, quotas=[{"deserved": 3}])
LEDGER_STORY = [
    *BOTH,
    *sites_and_demand(
        facts("a", T0, 2000.0), demand("d", T0, wanted=12), demand("o", T0, sites=["x"]), ENTITLED, *passed(4)
    ),
    step(0, 0, 1, at(1, "a")),
    step(1, 0, 2, at(1, "b"), at(2, "b")),
    step(0, 1, 2, at(2, "a")),
    step(0, 2, 4, at(3, "a"), at(4, "a")),
    step(1, 2, 3, at(3, "b")),
    step(1, 3, 4, at(4, "b")),
]


@settings(max_examples=60, deadline=None)
@given(begin=st.integers(0, len(LEDGER_STORY)), end=st.integers(0, len(LEDGER_STORY)), extra=st.integers(0, 20))
def test_what_is_sent_again_changes_nothing(begin: int, end: int, extra: int) -> None:
    """A stretch of the ledger comes again: a worker crashed, or an old owner's records were on their way."""
    once, more = FleetMachine(RULES, CATALOGUE), FleetMachine(RULES, CATALOGUE)
    begin, end = sorted((begin, end))
    place = min(end + extra, len(LEDGER_STORY))
    repeated = [*LEDGER_STORY[:place], *LEDGER_STORY[begin:end], *LEDGER_STORY[place:]]

    assert fold(repeated, more) == fold(LEDGER_STORY, once)
    assert more.digest() == once.digest()


def test_the_ledgers_story_opens_a_shortage_and_closes_all_ticks() -> None:
    outputs = fold(LEDGER_STORY)

    assert len(states(outputs, "fleet/fleet")) == 4
    assert [output.topic for output in outputs].count(SHORTAGES) >= 1


def test_a_record_that_is_none_of_the_ledgers_is_refused() -> None:
    machine = FleetMachine(RULES, CATALOGUE)
    (letter,) = machine.fold(Record(LEDGER, 0, 0, T0, b"k", b'{"kind":"samples"}'))

    assert (letter.topic, letter.key, letter.value) == (dead_letters(LEDGER), b"k", b'{"kind":"samples"}')
    assert dict(letter.headers)["__streams.errors.exception"] == b"undecodable"


def stated(**said: Any) -> bytes:
    """A record of the ledger in which a partition closes a tick of one site."""
    sampled = sample(pools=(pool(),)).model_dump(mode="json")
    whole = {"kind": "samples", "partition": 0, "partitions": 1, "after": T0 - 1000, "through": T0, "ticks": [T0]}
    return orjson.dumps(whole | {"samples": [sampled]} | said)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(stated(ticks=[2**62]), "undecodable", id="a-tick-beyond-all"),
        pytest.param(stated(partition=-1), "undecodable", id="a-partition-before-the-first"),
        pytest.param(stated(samples=[sample().model_dump() | {"energy_joules": 2**62}]), "undecodable", id="joules"),
        pytest.param(stated().replace(b"h100-sxm", b"h100-nix"), "unknown_type", id="a-type-that-there-is-not"),
    ],
)
def test_a_step_that_would_stop_the_machine_is_refused(value: bytes, code: str) -> None:
    (letter,) = FleetMachine(RULES, CATALOGUE).fold(Record(LEDGER, 0, 0, T0, b"0", value))

    assert (letter.topic, dict(letter.headers)["__streams.errors.exception"]) == (dead_letters(LEDGER), code.encode())


def test_the_dead_letters_of_every_topic_that_is_folded_have_a_topic() -> None:
    assert set(DEAD_LETTERS) == {dead_letters(topic) for topic in (*INPUTS, LEDGER)}
