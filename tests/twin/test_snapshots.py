"""A machine that is restored goes on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import getitem
from typing import Any, Protocol

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogue import Catalogue, catalogue_of
from models.errors import ConfigurationError, SnapshotDamaged
from models.instants import moment_of
from models.record import Outgoing, Record
from models.topics import DEMAND, LEDGER, SITES, TELEMETRY
from tests.builders import (
    CATALOGUE,
    T0,
    Row,
    clock,
    demand,
    ended,
    facts,
    frame,
    in_ledger,
    json_reading,
    numbered,
    of_each,
    row,
    tenant,
)
from twin.admission import presence
from twin.fleet import FleetMachine
from twin.offline import OfflineTwin
from twin.packing import pack, unpack
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules(stale_after=2000, lost_after=4000, node_interval=2000, open_after=1000, resolve_after=1000)


def each(second: int) -> Row:
    """Of a node that says something of each accelerator, then of more of them, then nothing."""
    if second > 9:
        return {"utilization": 0.5}
    installed = 4 if second < 5 else 16
    lists = of_each(installed, utilization=(0.5, 1.0, None, second / 16), temperature_celsius=(40.0 + second,))
    return {"installed": installed, "in_service": installed, "utilization": 0.5, **lists}


def story() -> list[Record]:
    """Two sites, nodes that tell each accelerator, bad rows, late ones, refusals, demand of all kinds, tenants."""
    records = [facts("memphis", T0, 40_000.0), facts("abilene", T0, 1e6), demand("d", T0, wanted=20)]
    for second in range(12):
        at = T0 + second * 1000
        busy = 8 if second < 8 else 0
        records += [
            frame([row("a", at, power_watts=5000.0 + second, allocated=busy), row("b", at, **each(second))]),
            json_reading(row("x", at - 300, rack="r1", allocated=0), "abilene"),
            frame([row("c", at, power_watts=-1.0), row("d", at, rack=f"r{second}", allocated=0)], "abilene"),
            frame([row("late", at - 2500, **of_each(8, power_watts=(600.0, 650.5)))], "abilene"),
            frame([row("a", at)], "memphis", key="abilene"),
            *(clock(at + RULES.grace, topic) for topic in (TELEMETRY, SITES, DEMAND)),
        ]
    return [
        *records[:40],
        ended("gone", T0 + 3000),
        demand("d", T0 + 6000, wanted=24),
        demand("odd", T0 + 3000, sites=["nowhere"]),
        demand("later", T0 + 3000, tenant="t", starts_at=moment_of(T0 + 9000), ends_at=moment_of(T0 + 11_000)),
        tenant("t", T0 + 3000, quotas=[{"types": ["h100-sxm"], "deserved": 4, "limit": 8}, {"limit": 20}]),
        tenant("t", T0 + 8000, quotas=[{"deserved": 99}]),
        *records[40:],
    ]


STORY = list(numbered(story()))
TELEMETRY_STORY = [one for one in STORY if one.topic == TELEMETRY]


def ledger() -> list[Record]:
    twin = OfflineTwin(RULES, CATALOGUE, 1)
    entries = [output for one in STORY for output in twin.fold(one) if output.topic == LEDGER]
    third = len(entries) // 3
    gone, again = (presence(0, away=away, instant=T0) for away in (True, False))
    return in_ledger([*entries[:third], gone, *entries[third : 2 * third], again, *entries[2 * third :]])


LEDGER_STORY = ledger()


def site_machine() -> TelemetryMachine:
    return TelemetryMachine(0, 1, RULES, CATALOGUE)


def fleet_machine() -> FleetMachine:
    return FleetMachine(RULES, CATALOGUE)


class Machine(Protocol):
    def fold(self, record: Record) -> list[Outgoing]: ...
    def snapshot(self) -> bytes: ...
    def restore(self, packed: bytes) -> None: ...


def stopped_at(cuts: set[int], made: Callable[[], Machine], story: list[Record]) -> tuple[list[Outgoing], bytes]:
    """What comes out, and the last state, of a machine that is stopped and restored before these records."""
    machine, outputs = made(), list[Outgoing]()
    for place, one in enumerate(story):
        if place in cuts:
            packed, machine = machine.snapshot(), made()
            machine.restore(packed)
            assert machine.snapshot() == packed
        outputs += machine.fold(one)
    return outputs, machine.snapshot()


def with_part(packed: bytes, part: list[str], change: Callable[[Any], Any]) -> bytes:
    """A snapshot in whose head the part at the end of these names is another one."""
    head, arrays = unpack(packed)
    *way, last = part
    holder = reduce(getitem, way, head)
    holder[last] = change(holder[last])
    return pack(head, arrays)


SITE_WHOLE = stopped_at(set(), site_machine, TELEMETRY_STORY)
FLEET_WHOLE = stopped_at(set(), fleet_machine, LEDGER_STORY)


@settings(max_examples=40, deadline=None)
@given(cuts=st.sets(st.integers(0, len(TELEMETRY_STORY)), max_size=3))
def test_a_site_machine_stopped_anywhere_goes_on_as_if_it_had_not(cuts: set[int]) -> None:
    assert stopped_at(cuts, site_machine, TELEMETRY_STORY) == SITE_WHOLE


@settings(max_examples=40, deadline=None)
@given(cuts=st.sets(st.integers(0, len(LEDGER_STORY)), max_size=3))
def test_a_fleet_machine_stopped_anywhere_goes_on_as_if_it_had_not(cuts: set[int]) -> None:
    assert stopped_at(cuts, fleet_machine, LEDGER_STORY) == FLEET_WHOLE


def test_what_is_restored_has_the_same_digest() -> None:
    sites, fleet = site_machine(), fleet_machine()
    sites.restore(SITE_WHOLE[1])
    fleet.restore(FLEET_WHOLE[1])
    unstopped_sites, unstopped_fleet = site_machine(), fleet_machine()
    for one in TELEMETRY_STORY:
        unstopped_sites.fold(one)
    for one in LEDGER_STORY:
        unstopped_fleet.fold(one)

    assert (sites.digests(), fleet.digest()) == (unstopped_sites.digests(), unstopped_fleet.digest())


def test_the_story_tells_what_matters() -> None:
    """Shortages opened, updated and resolved, dead letters, node frames, tenants: else the rules above say little."""
    twin = OfflineTwin(RULES, CATALOGUE, 1)
    outputs = [output for one in STORY for output in twin.fold(one)]
    topics = [output.topic for output in outputs]
    fleet = [orjson.loads(output.value or b"") for output in outputs if output.identity.startswith("fleet/")]

    assert {"fleet.shortages.v1", "fleet.nodes.v1", "fleet.telemetry.v1.dlq", "fleet.demand.v1.dlq"} <= set(topics)
    assert topics.count("fleet.shortages.v1") >= 3
    assert {len(state["tenants"]) for state in fleet} == {0, 1}
    assert {one["deserved"] for state in fleet for one in state["tenants"]} == {4, 99}
    assert {state["overcommitted"] > 0 for state in fleet} == {False, True}
    assert {(state["demands_waiting"], state["demands_expired"]) for state in fleet} >= {(1, 0), (0, 0), (0, 1)}


@pytest.mark.parametrize("kind", [pytest.param("site", id="site-machine"), pytest.param("fleet", id="fleet-machine")])
def test_a_snapshot_made_under_other_rules_is_not_taken(kind: str) -> None:
    other = Rules(grace=499)
    made, taking = (
        (site_machine(), TelemetryMachine(0, 1, other, CATALOGUE))
        if kind == "site"
        else (FleetMachine(RULES, CATALOGUE), FleetMachine(other, CATALOGUE))
    )

    with pytest.raises(ConfigurationError, match="restore those settings"):
        taking.restore(made.snapshot())


def test_a_catalogue_with_more_types_takes_a_snapshot_made_with_fewer() -> None:
    fewer: Catalogue = catalogue_of([CATALOGUE[type_] for type_ in ("h100-sxm", "h200-sxm")])
    before = TelemetryMachine(0, 1, RULES, fewer)
    after = site_machine()
    for one in TELEMETRY_STORY[:20]:
        before.fold(one)
    after.restore(before.snapshot())

    assert after.digests() == before.digests()


def test_a_snapshot_from_before_accelerators_were_known_one_by_one_is_taken() -> None:
    """A machine that never heard of them packs what such a machine packed."""
    plain = [frame([row("a", T0), row("b", T0 + 5000)]), clock(T0 - 1000), clock(T0 + 1000)]
    before, after = site_machine(), site_machine()
    for one in plain:
        before.fold(one)
    packed = before.snapshot()
    assert b"lengths" not in packed
    after.restore(packed)

    assert after.digests() == before.digests()


def test_what_is_said_of_accelerators_is_in_the_digest_held_or_folded() -> None:
    """Else nobody could tell that it was restored, or replayed, wrongly."""

    def digests(first: float, second: float) -> dict[str, str]:
        machine = site_machine()
        rows = [
            row("a", T0, **of_each(8, utilization=(first,))),
            row("b", T0 + 5000, **of_each(8, utilization=(second,))),
        ]
        for one in (clock(T0 - 1000), frame([one | {"utilization": 0.5} for one in rows]), clock(T0 + 1000)):
            machine.fold(one)
        return machine.digests()

    assert digests(0.5, 0.5) == digests(0.5, 0.5)
    assert len({digests(first, second)["memphis"] for first in (0.5, 1.0) for second in (0.5, 1.0)}) == 4


def site_state() -> bytes:
    """Of one site with two nodes."""
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    machine.fold(frame([row("a", power_watts=1.0), row("b", T0 + 5000)]))
    machine.fold(clock(T0 + 900))
    return machine.snapshot()


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(8), id="no-head"),
        pytest.param(b"\xff" * 100, id="a-length-beyond-the-end"),
        pytest.param(site_state()[:-8], id="cut-off"),
        pytest.param(site_state().replace(b'"names":["a","b"]', b'"names":["a","a"]'), id="a-node-twice"),
        pytest.param(
            site_state().replace(b'"closed":1800000000000', b'"closed":"18000000000"'), id="a-text-for-a-time"
        ),
        pytest.param(site_state().replace(b"[9,1]", b"[9,3]", 1), id="columns-of-three-bytes"),
        pytest.param(site_state().replace(b"[1800000000000,1]", b"[4611686018427387904,1]"), id="a-time-beyond-all"),
        pytest.param(site_state().replace(b"h100-sxm", b"h100-nix"), id="a-type-that-there-is-not"),
    ],
)
def test_what_is_no_snapshot_is_refused_and_changes_nothing(packed: bytes) -> None:
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)

    with pytest.raises((SnapshotDamaged, ConfigurationError)):
        machine.restore(packed)
    assert (machine.sites, machine.clock, machine.closed) == ({}, None, None)


@pytest.mark.parametrize(
    ("part", "odd"),
    [
        pytest.param(["book", "ended"], "none", id="a-text-for-what-ended"),
        pytest.param(["book", "forgotten"], "1800000000000", id="a-text-for-a-time"),
        pytest.param(["book", "forgotten"], 10**17, id="a-time-beyond-the-calendar"),
        pytest.param(["episodes"], {"k": {"since": "now"}}, id="an-episode-that-is-none"),
    ],
)
def test_a_fleet_whose_parts_are_none_is_refused(part: list[str], odd: object) -> None:
    packed = with_part(FLEET_WHOLE[1], part, lambda _: odd)

    with pytest.raises(SnapshotDamaged):
        fleet_machine().restore(packed)


TYPED = {
    "facts-expected": facts(expected=[{"type": "h100-sxm", "nodes": 1, "accelerators": 8}]),
    "facts-arrivals": facts(arrivals=[{"type": "h100-sxm", "accelerators": 8, "at": moment_of(T0 + 60_000)}]),
    "demand": demand(types=["h100-sxm"]),
    "tenant": tenant(quotas=[{"types": ["h100-sxm"], "deserved": 4}]),
}
"""Each names a type in another place."""


@pytest.mark.parametrize(
    ("part", "said", "closed"),
    [
        *(pytest.param(["inputs", "held"], said, False, id=f"{name}-held") for name, said in TYPED.items()),
        pytest.param(["facts"], TYPED["facts-expected"], True, id="facts-expected"),
        pytest.param(["facts"], TYPED["facts-arrivals"], True, id="facts-arrivals"),
        pytest.param(["book", "demands"], TYPED["demand"], True, id="demand"),
        pytest.param(["book", "tenants"], TYPED["tenant"], True, id="tenant"),
        pytest.param(["latest"], frame([row()]), True, id="sample"),
        pytest.param(["ahead"], frame([row()]), False, id="sample-ahead"),
    ],
)
def test_a_fleet_with_a_type_that_the_catalogue_lacks_is_refused(part: list[str], said: Record, closed: bool) -> None:
    twin, machine = OfflineTwin(RULES, CATALOGUE, 1), fleet_machine()
    heard = (TELEMETRY, SITES, DEMAND) if closed else (TELEMETRY,)
    clocks = [clock(T0 + second * 1000, topic) for second in (1, 2, 3) for topic in heard]
    entries = [output for one in numbered([frame([row("b")]), said, *clocks]) for output in twin.fold(one)]
    for one in in_ledger(output for output in entries if output.topic == LEDGER):
        machine.fold(one)

    def renamed(known: Any) -> Any:
        text = orjson.dumps(known)
        assert b"h100-sxm" in text
        return orjson.loads(text.replace(b"h100-sxm", b"h100-nix"))

    packed = with_part(machine.snapshot(), part, renamed)

    with pytest.raises(SnapshotDamaged, match=r"unknown_type.*h100-nix"):
        fleet_machine().restore(packed)


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(site_state(), id="another-machines"),
        pytest.param(FleetMachine(RULES, CATALOGUE).snapshot().replace(b'"away":[]', b'"away":{}'), id="another-kind"),
    ],
)
def test_what_is_no_snapshot_of_the_fleet_is_refused(packed: bytes) -> None:
    with pytest.raises(SnapshotDamaged):
        FleetMachine(RULES, CATALOGUE).restore(packed)
