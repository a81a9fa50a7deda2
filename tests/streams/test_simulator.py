"""The simulator's promises: same seed, same log; physical watts; every reading counted; clocks that keep their word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from threading import Event

import numpy as np
import orjson
import pytest

from models.catalogue import shipped_catalogue
from models.cloudevents import EventType
from models.columns import ReadingColumns
from models.demand import DemandRevised, Purpose, Workload
from models.errors import RecordRefused
from models.facts import SiteFacts
from models.instants import instant_of
from models.partitioning import partition_of
from models.record import SENT_AT, Outgoing, Record
from models.scenario import Scenario, load_scenario, read_scenario
from models.telemetry import Readings, TelemetryDecoder
from models.tenant import TenantRevised
from models.topics import DEMAND, SITES, TELEMETRY
from streams.simulator.clocks import AFTERWARDS, clocked
from streams.simulator.fleet import SiteFleet
from streams.simulator.pacing import Pace
from streams.simulator.publisher import publish
from streams.simulator.telemetry import Step, telemetry

CATALOGUE = shipped_catalogue()
START = 1_800_000_000_000
SMALL = """
title: small
seed: 7
frame_rows: 16
sites:
  memphis:
    supply_mw: 1
    pue: 1.1
    pools:
      - {type: h100-sxm, nodes: 40, allocated: 0.5}
      - {type: trillium, nodes: 10, metered: false}
  paris:
    supply_mw: 1
    pue: 1.2
    pools: [{type: mi300x, nodes: 20}]
    timeline: [{at: 3, supply_mw: 0.5}]
tenants:
  - tenant: run
    quotas: [{types: [h100-sxm], deserved: 8, limit: 16}, {limit: 99}]
    timeline: [{at: 3, quotas: []}]
demands:
  - demand: run
    project: p
    tenant: run
    purpose: research
    workload: latency_bound
    timeline: [{at: 0, wanted: 10}, {at: 2, wanted: 20, granted: 10, ends_at: 60}, {at: 4, ended: true}]
"""


def small(**changes: object) -> Scenario:
    """The small scenario with other top-level fields."""
    return read_scenario(SMALL + "".join(f"{name}: {value}\n" for name, value in changes.items()), "small.yaml")


def record_of(outgoing: Outgoing) -> Record:
    """What a reader gets; the record's time is the event time that its header tells."""
    sent_at = dict(outgoing.headers).get(SENT_AT, str(START + 10**6).encode())
    return Record(
        outgoing.topic, outgoing.partition or 0, 0, int(sent_at), outgoing.key, outgoing.value, outgoing.headers
    )


def decoded(steps: Iterable[Step]) -> Iterator[tuple[Step, Readings]]:
    """Every frame as the twin reads it."""
    decoder = TelemetryDecoder(CATALOGUE)
    for step in steps:
        for outgoing in step.records:
            if outgoing.topic == TELEMETRY:
                readings = decoder.decode(record_of(outgoing))
                if isinstance(readings, Readings):
                    yield step, readings


def nodes_of(columns: ReadingColumns) -> list[str]:
    return [columns.roster.nodes[who] for who in columns.who]


class Shelf:
    """A sender that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.settled = 0
        self.next_offsets: dict[int, int] = {}

    def send(self, record: Outgoing) -> None:
        self.records.append(record)

    def settle(self) -> None:
        self.settled = len(self.records)


def test_the_same_scenario_and_start_give_the_same_log() -> None:

    assert list(telemetry(small(), START, seconds=5)) == list(telemetry(small(), START, seconds=5))


def test_another_seed_gives_other_readings() -> None:
    other = read_scenario(SMALL.replace("seed: 7", "seed: 8"), "small.yaml")

    assert list(telemetry(small(), START, seconds=2)) != list(telemetry(other, START, seconds=2))


def test_identities_are_unique_within_a_topic() -> None:
    faults = "{dirty: {duplicated: 100000, reordered: 100000}}"
    steps = telemetry(small(faults=faults), START, seconds=20)
    counts = Counter((record.topic, record.identity) for step in steps for record in step.records)

    assert set(counts.values()) == {1}


def test_the_first_step_states_facts_and_demand_and_measures_nothing() -> None:
    first = next(telemetry(small(), START))

    assert (first.at, first.readings, first.facts, first.tenants, first.demands) == (START, 0, 2, 1, 1)
    assert {record.topic for record in first.records} == {SITES, DEMAND}


def test_every_node_reports_once_in_each_cadence_and_at_its_own_time() -> None:
    steps = list(telemetry(small(cadence_seconds=5), START, seconds=10))
    counts = Counter(node for _, readings in decoded(steps) for node in nodes_of(readings.columns))

    assert len(counts) == 70
    assert set(counts.values()) == {2}
    assert sum(step.readings for step in steps) == 140


def test_the_twin_takes_every_clean_reading() -> None:

    assert [
        readings.refusals for _, readings in decoded(telemetry(small(), START, seconds=10)) if readings.refusals
    ] == []


def test_readings_lie_between_the_step_before_and_their_own() -> None:
    for step, readings in decoded(telemetry(small(), START, seconds=5)):
        assert (readings.columns.at > step.at - 1000).all()
        assert (readings.columns.at <= step.at).all()


def test_facts_and_demand_come_at_their_time_in_partition_0_with_what_the_scenario_says() -> None:
    steps = list(telemetry(small(), START, seconds=5))
    facts = [SiteFacts.model_validate_json(r.value or b"") for s in steps for r in s.records if r.topic == SITES]
    said = [record for step in steps for record in step.records if record.topic == DEMAND]
    tenants = [record for record in said if dict(record.headers)["ce_type"] == EventType.TENANT_REVISED.encode()]
    demands = [record for record in said if record not in tenants]
    revised = DemandRevised.model_validate_json(demands[1].value or b"")

    assert [(f.site, instant_of(f.at) - START, f.supply_watts) for f in facts] == [
        ("memphis", 0, 1e6),
        ("paris", 0, 1e6),
        ("paris", 3000, 5e5),
    ]
    assert [(e.type, e.nodes, e.accelerators) for e in facts[0].expected] == [
        ("h100-sxm", 40, 320),
        ("trillium", 10, 80),
    ]
    assert [dict(record.headers)["ce_type"].decode() for record in demands] == [
        EventType.DEMAND_REVISED,
        EventType.DEMAND_REVISED,
        EventType.DEMAND_ENDED,
    ]
    assert (revised.wanted, revised.granted, revised.ends_at and instant_of(revised.ends_at)) == (
        20,
        10,
        START + 60_000,
    )
    assert (revised.tenant, revised.purpose, revised.workload) == ("run", Purpose.RESEARCH, Workload.LATENCY_BOUND)
    assert {record.partition for record in said} == {0}
    entitled = [TenantRevised.model_validate_json(record.value or b"") for record in tenants]
    assert [(instant_of(one.at) - START, [(q.types, q.deserved, q.limit) for q in one.quotas]) for one in entitled] == [
        (0, [(("h100-sxm",), 8, 16), ((), None, 99)]),
        (3000, []),
    ]


@pytest.mark.parametrize("name", ["demo", "colossus-100k", "stargate-abilene"])
def test_watts_lie_between_nothing_and_the_full_node(name: str) -> None:
    for id_, site in load_scenario(name).sites.items():
        fleet = SiteFleet(id_, site, CATALOGUE, np.random.default_rng(1))
        for second in range(3):
            readings = fleet.readings(START + second * 1000)

            assert (readings.power_watts > 0).all()
            assert (readings.power_watts <= fleet.full_watts).all()


def test_h100_nodes_draw_what_such_nodes_were_measured_to_draw() -> None:
    site = load_scenario("colossus-100k").sites["colossus"]
    readings = SiteFleet("colossus", site, CATALOGUE, np.random.default_rng(1)).readings(START)
    working = readings.sm_active > 0.4

    assert readings.power_watts[readings.allocated == 0].mean() == pytest.approx(2176, rel=0.02)
    assert readings.power_watts[working].mean() == pytest.approx(6850, rel=0.06)
    assert (readings.temperature_celsius < 90).all()


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.9, 1.0])
def test_what_is_allocated_is_the_fraction_that_was_asked_for(fraction: float) -> None:
    fleet = SiteFleet("memphis", small().sites["memphis"], CATALOGUE, np.random.default_rng(1))
    fleet.allocate("h100-sxm", fraction)
    allocated = fleet.readings(START).allocated[:40]

    assert allocated.sum() == round(fraction * 320)


def test_fragmented_nodes_never_give_their_second_half() -> None:
    scenario = read_scenario(SMALL.replace("allocated: 0.5", "allocated: 1, fragmented: 1"), "small.yaml")
    fleet = SiteFleet("memphis", scenario.sites["memphis"], CATALOGUE, np.random.default_rng(1))

    assert set(fleet.readings(START).allocated[:40].tolist()) == {4}


@pytest.mark.parametrize(("kind", "in_service", "state"), [("failed", 0, 3), ("maintenance", 0, 2), ("draining", 4, 1)])
def test_a_scripted_fault_takes_its_nodes_out_and_gives_them_back(kind: str, in_service: int, state: int) -> None:
    fault = f"{{kind: {kind}, site: paris, type: mi300x, nodes: 3, at: 2, until: 4}}"
    text = SMALL.replace("nodes: 20}", "nodes: 20, allocated: 1, fragmented: 1}") + f"faults: {{scripted: [{fault}]}}"
    struck: dict[int, int] = {}
    for step, readings in decoded(telemetry(read_scenario(text, "small.yaml"), START, seconds=5)):
        hit = readings.columns.state == state
        if readings.site == "paris":
            struck[(step.at - START) // 1000] = struck.get((step.at - START) // 1000, 0) + int(hit.sum())
            assert set(readings.columns.in_service[hit].tolist()) <= {in_service}

    assert struck == {1: 0, 2: 3, 3: 3, 4: 0, 5: 0}


def test_silent_nodes_are_not_heard_until_they_are_again() -> None:
    fault = "{scripted: [{kind: silent, site: paris, type: mi300x, nodes: 3, at: 2, until: 4}]}"
    steps = telemetry(small(faults=fault), START, seconds=5)

    assert [step.readings for step in steps] == [0, 70, 67, 67, 70, 70]


def test_nodes_that_fail_by_chance_are_repaired() -> None:
    scenario = small(faults="{failures: {per_node_day: 500, repair_seconds: 5}}")
    failed: Counter[int] = Counter()
    for step, readings in decoded(telemetry(scenario, START, seconds=60)):
        failed[step.at] += int((readings.columns.state == 3).sum())

    assert 0 < max(failed.values()) < 30
    assert any(after < before for before, after in pairwise(failed.values()))


def test_dirty_readings_are_sent_and_counted_and_the_twin_sees_what_they_are() -> None:
    scenario = small(faults="{dirty: {negative_watts: 20000, duplicated: 20000, reordered: 20000}}")
    steps = list(telemetry(scenario, START, seconds=60))
    rows = refused = repeated = older = 0
    newest: dict[str, tuple[int, int]] = {}
    for _, readings in decoded(steps):
        columns = readings.columns
        refused += len(readings.refusals)
        rows += len(columns) + len(readings.refusals)
        for node, at, sequence in zip(nodes_of(columns), columns.at.tolist(), columns.sequence.tolist(), strict=True):
            repeated += (at, sequence) == newest.get(node)
            older += (at, sequence) < newest.get(node, (0, 0))
            newest[node] = max(newest.get(node, (0, 0)), (at, sequence))

    assert rows == sum(step.readings for step in steps) > 60 * 70
    assert min(refused, repeated, older) > 20


def test_an_unmetered_pool_does_not_say_what_it_draws() -> None:
    for _, readings in decoded(telemetry(small(), START, seconds=1)):
        trillium = CATALOGUE.codes["trillium"]
        unknown = readings.columns.power == -1

        assert (unknown == (readings.columns.roster.codes[readings.columns.who] == trillium)).all()


def test_a_timeline_that_repeats_begins_again_each_round() -> None:
    steps = telemetry(small(repeat_every_seconds=10), START, seconds=25)
    told = [((step.at - START) // 1000, step.facts, step.tenants) for step in steps if step.facts]

    assert told == [(second, 1 if second % 10 else 2, 1) for second in (0, 3, 10, 13, 20, 23)]


def partitioned(steps: Iterable[Step], partitions: int) -> dict[tuple[str, int], list[Outgoing]]:
    """The records as they lie in each partition."""
    lanes: dict[tuple[str, int], list[Outgoing]] = {}
    for record in (record for step in steps for record in step.records):
        key = partition_of(record.key, partitions) if record.partition is None else record.partition
        lanes.setdefault((record.topic, key), []).append(record)
    return lanes


def moment(value: bytes | None) -> datetime:
    """The `until` of a clock, the `at` of anything else."""
    content = orjson.loads(value or b"")
    return datetime.fromisoformat(content.get("until") or content["at"])


def is_clock(record: Outgoing) -> bool:
    return dict(record.headers)["ce_type"] == EventType.CLOCK.encode()


def test_a_clock_stands_in_every_partition_and_promises_only_what_was_sent() -> None:
    lanes = partitioned(clocked(telemetry(small(), START, seconds=4), 5), 5)
    decoder = TelemetryDecoder(CATALOGUE)

    assert set(lanes) == {*((TELEMETRY, number) for number in range(5)), (SITES, 0), (DEMAND, 0)}
    for (topic, _), records in lanes.items():
        until = [orjson.loads(record.value or b"")["until"] for record in records if is_clock(record)]
        assert until == [
            f"2027-01-15T08:{minute}Z" for minute in ("00:00", "00:01", "00:02", "00:03", "00:04", "02:04")
        ]
        clock = START - 1 if topic == TELEMETRY else START - 2
        for record in records:
            if is_clock(record):
                clock = instant_of(moment(record.value))
            elif topic == TELEMETRY:
                readings = decoder.decode(record_of(record))
                assert isinstance(readings, Readings)
                assert (readings.columns.at > clock).all()
            else:
                assert instant_of(moment(record.value)) > clock


def test_in_telemetry_a_clock_at_the_start_comes_before_any_reading() -> None:
    for (topic, _), records in partitioned(clocked(telemetry(small(), START, seconds=2), 3), 3).items():
        if topic == TELEMETRY:
            assert is_clock(records[0])


def test_a_log_with_its_own_clock_says_of_every_record_when_it_was_sent() -> None:
    for step in clocked(telemetry(small(), START, seconds=3), 2):
        assert {dict(record.headers)[SENT_AT] for record in step.records} == {str(step.at).encode()}


def test_a_stopped_run_still_ends_with_the_clock_that_closes_it() -> None:
    stop = Event()
    pace = Pace(START, 0, None, stop)

    def stopped(steps: Iterator[Step]) -> Iterator[Step]:
        for number, step in enumerate(pace.paced(steps)):
            yield step
            if number == 3:
                stop.set()

    steps = list(clocked(stopped(telemetry(small(), START)), 1))

    assert [step.at - START for step in steps] == [0, 1000, 2000, 3000, 3000 + AFTERWARDS]
    assert steps[-1].closing


def test_steps_that_come_too_late_pass_at_once_and_the_lag_is_told() -> None:
    pace = Pace(START, 1_000_000, 2.0, Event(), wall=lambda: 1_010_000)

    assert len(list(pace.paced(telemetry(small(), START, seconds=3)))) == 4
    assert pace.worst_lag == 10


def test_what_is_published_is_counted() -> None:
    shelf = Shelf()
    published = publish(clocked(telemetry(small(), START, seconds=4), 2), shelf)

    assert (published.readings, published.facts, published.tenants, published.demands) == (4 * 70, 3, 2, 3)
    assert published.records == shelf.settled == len(shelf.records)
    assert published.report()["last_event_time"] == "2027-01-15T08:00:04+00:00"


@pytest.fixture(scope="module")
def demo() -> dict[str, dict[int, bool]]:
    """Of the demo's first minute: at which seconds H100s at memphis are short, and at which power at lulea."""
    supply: dict[str, float] = {}
    pending: dict[str, int] = {}
    free: dict[str, dict[str, int]] = {"memphis": {}, "lulea": {}}
    watts: dict[str, dict[str, int]] = {"memphis": {}, "lulea": {}}
    found: dict[str, dict[int, bool]] = {"h100": {}, "power": {}}
    decoder = TelemetryDecoder(CATALOGUE)
    for step in telemetry(load_scenario("demo"), START, seconds=60):
        for record in step.records:
            value = record.value or b""
            if record.topic == SITES:
                facts = SiteFacts.model_validate_json(value)
                supply[facts.site] = facts.supply_watts / facts.pue
            elif dict(record.headers)["ce_type"] == EventType.DEMAND_REVISED.encode():
                demand = DemandRevised.model_validate_json(value)
                pending[demand.demand] = demand.wanted - demand.granted
            elif (record.key or b"").decode() in free:
                try:
                    readings = decoder.decode(record_of(record))
                except RecordRefused:  # a frame of nothing but dirt
                    continue
                assert isinstance(readings, Readings)
                columns = readings.columns
                for node, spare, milliwatts in zip(
                    nodes_of(columns),
                    (columns.in_service - columns.allocated).tolist(),
                    columns.power.tolist(),
                    strict=True,
                ):
                    if "h100" in node:
                        free[readings.site][node] = spare
                    watts[readings.site][node] = milliwatts
        second = (step.at - START) // 1000
        if second:
            assert {name for name, amount in pending.items() if amount} <= {"pretrain-xl"}
            found["h100"][second] = pending["pretrain-xl"] > sum(free["memphis"].values())
            found["power"][second] = sum(watts["lulea"].values()) / 1000 > supply["lulea"]
    return found


@pytest.mark.parametrize(("resource", "begins", "ends"), [("h100", 8, 28), ("power", 20, 38)])
def test_the_demo_has_each_kind_of_shortage_in_its_first_minute(
    demo: dict[str, dict[int, bool]], resource: str, begins: int, ends: int
) -> None:
    short = [second for second, claim in demo[resource].items() if claim]

    assert short == list(range(begins, ends))
