"""Replay equality: however one log reaches the machines, they say the same, byte for byte.

A small fleet is generated: sites whose nodes come, work, fail and fall silent, facts that change, demand of all kinds,
quotas. Its log is folded plainly; then again with everything changed that must not matter.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Protocol, TypeVar

import orjson
import pytest
from hypothesis import HealthCheck, given, settings, target
from hypothesis import strategies as st

from models.cloudevents import EventType
from models.instants import moment_of
from models.partitioning import partition_of
from models.record import Outgoing, Record
from models.topics import DEMAND, LEDGER, NODES, SHORTAGES, SITES, STATE, TELEMETRY
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
    of_each,
    record,
    row,
)
from tests.twin import test_offline_twin
from twin.admission import admit, presence
from twin.fleet import FleetMachine
from twin.offline import OfflineTwin
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules(
    stale_after=2000,
    lost_after=4000,
    longest_gap=3000,
    node_interval=2000,
    idle_after=3000,
    open_after=1000,
    resolve_after=1000,
    unplaced_after=2000,
    escalate_after=6000,
)
SECONDS = 16
NAMES = ("memphis", "abilene", "lulea")
TYPES = ("h100-sxm", "h200-sxm")
NOWHERE = "nowhere"
"""A site that nobody has heard of."""

T = TypeVar("T")


@dataclass(frozen=True)
class Said:
    """What is sent between two clocks: not after clock `until`, and not before clock `since` where it is late."""

    until: int
    since: int
    what: Record | tuple[str, Row]
    """A record of facts or demand, or a site's reading, which becomes part of some record."""

    def places(self) -> range:
        """The stretches between clocks, by the clock at their end, in which it may be sent."""
        return range(max(self.since, self.until - 2), self.until + 1)


@dataclass(frozen=True)
class Log:
    """What is said by whom, without any order that matters."""

    readings: tuple[Said, ...]
    stated: tuple[Said, ...]


SECOND = st.integers(0, SECONDS - 1)
MILLISECOND = st.sampled_from((0, 1, 300, 999))


def moment(second: int, millisecond: int) -> int:
    """An instant whose tick is that of the second."""
    return T0 + second * 1000 - millisecond


WORD = st.fixed_dictionaries(
    {
        "allocated": st.sampled_from((0, 0, 4, 8, None)),
        "power_watts": st.sampled_from((None, 1000.0, 2500.0, 6000.0)),
        "utilization": st.sampled_from((None, 0.0, 0.5, 1.0)),
        "state": st.sampled_from(("in_service", "in_service", "in_service", "draining", "failed")),
    }
)
LISTS = st.fixed_dictionaries(
    {
        "utilization": st.sampled_from((None, (0.25, 1.0), (None, 0.5))),
        "power_watts": st.sampled_from((None, (400.0, 650.5), (None,))),
        "memory_used_bytes": st.sampled_from((None, (2**36, None))),
        "temperature_celsius": st.sampled_from((None, (61.5, -3.0, 84.0))),
    }
)
"""What a node says of each accelerator, in the readings in which it does."""
LATE = st.sampled_from((0, 0, 0, 0, 1, 3))
"""Clocks after the one that closes its tick."""


@st.composite
def readings_of(draw: st.DrawFn, site: str, node: str) -> list[Said]:
    """A reading each second, but for a silence; a few late, and a few that are refused."""
    words = draw(st.dictionaries(SECOND, WORD, min_size=1, max_size=3))
    type_, offset = draw(st.sampled_from(TYPES)), draw(MILLISECOND)
    silent, heard = draw(SECOND), draw(SECOND)
    late, bad = draw(st.dictionaries(SECOND, LATE, max_size=2)), draw(st.sets(SECOND, max_size=1))
    lists = draw(st.dictionaries(SECOND, LISTS, max_size=3))
    found = []
    for second in range(SECONDS):
        if silent <= second < heard:
            continue
        begun = max((at for at in words if at <= second), default=min(words))
        said = words[begun] | ({"power_watts": -1.0} if second in bad else {})
        told = max((at for at in lists if at <= second), default=None)
        said = said if told is None else said | of_each(8, **lists[told])
        one = row(node, moment(second, offset), second, type=type_, rack=f"r{begun}", **said)
        behind = late.get(second, 0)
        found.append(Said(second + behind, second + behind if behind else 0, (site, one)))
    return found


SUPPLIES = st.sampled_from((2000.0, 6000.0, 12_000.0, 30_000.0, 1e6))


@st.composite
def facts_of(draw: st.DrawFn, site: str) -> list[Said]:
    """From before the first demand, and changed now and then, twice in one instant too."""
    at = [(0, 999), *draw(st.lists(st.tuples(SECOND.filter(bool), MILLISECOND), max_size=3))]
    expected = [{"type": "h100-sxm", "nodes": 2, "accelerators": draw(st.sampled_from((0, 8, 16, 24)))}]
    return [stated(facts(site, moment(*when), draw(SUPPLIES), expected=expected), when[0]) for when in at]


def stated(one: Record, second: int) -> Said:
    return Said(second, 0, one)


@st.composite
def demands_of(draw: st.DrawFn, id_: str, sites: Sequence[str]) -> list[Said]:
    """Stated, revised, perhaps ended, perhaps stated again; waiting and expiring ones among them."""
    found = []
    allowed = st.lists(st.sampled_from((*sites, *sites, NOWHERE)), max_size=2, unique=True)
    who = {"project": draw(st.sampled_from("pq")), "tenant": draw(st.sampled_from(("red", "blue", None)))}
    for second in draw(st.lists(SECOND, min_size=1, max_size=4)):
        at = moment(second, draw(MILLISECOND))
        if draw(st.integers(0, 5)) == 0:
            found.append(stated(ended(id_, at), second))
            continue
        wanted = draw(st.sampled_from((0, 4, 8, 20, 60)))
        begins, ends = draw(st.sampled_from((None, None, 3))), draw(st.sampled_from((None, None, 5, 9)))
        said = who | {
            "granted": wanted * draw(st.sampled_from((0, 0, 1, 2))) // 2,
            "types": draw(st.lists(st.sampled_from(TYPES), max_size=2, unique=True)),
            "sites": draw(allowed),
            "gang": draw(st.sampled_from((1, 1, 8))),
            "priority": draw(st.sampled_from((10, 50))),
            "workload": draw(st.sampled_from((None, "training", "inference", "latency_bound"))),
            "starts_at": begins and moment_of(at + begins * 1000),
            "ends_at": ends and moment_of(at + ends * 1000),
        }
        found.append(stated(demand(id_, at, wanted, **said), second))
    return found


@st.composite
def tenants_of(draw: st.DrawFn, tenant: str) -> list[Said]:
    """Quotas, and others later."""
    found = []
    for second in draw(st.lists(SECOND, max_size=2)):
        at = moment(second, draw(MILLISECOND))
        limit, deserved = draw(st.sampled_from((None, 0, 8, 24))), draw(st.sampled_from((0, 8)))
        quotas = [{"types": draw(st.sampled_from(((), TYPES[:1]))), "limit": limit}] if limit is not None else []
        quotas += [{"types": TYPES, "deserved": deserved}]
        body = {"tenant": tenant, "at": moment_of(at), "quotas": quotas}
        one = record(orjson.dumps(body), EventType.TENANT_REVISED, DEMAND, tenant, timestamp=at)
        found.append(stated(one, second))
    return found


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Two or three sites of up to three nodes, one of which may be known from its facts alone."""
    sites = draw(st.sampled_from((NAMES, NAMES[:2])))
    nodes = {site: draw(st.sampled_from((0, 1, 2, 3))) for site in sites}
    nodes[sites[0]] = max(nodes[sites[0]], 1)
    readings = [one for site in sites for number in range(nodes[site]) for one in draw(readings_of(site, f"n{number}"))]
    some = [draw(facts_of(site)) for site in sites]
    some += [draw(demands_of(id_, sites)) for id_ in draw(st.sampled_from((("d", "e"), ("d", "e", "f", "g"))))]
    some += [draw(tenants_of(tenant)) for tenant in ("red", "blue")]
    return Log(tuple(readings), tuple(one for found in some for one in found))


EVERYWHERE = (TELEMETRY, SITES, DEMAND)
Queues = dict[tuple[str, int], list[Record]]
"""By topic and partition, in the order of their offsets."""


def queues(log: Log, partitions: int, random: Random | None = None) -> Queues:
    """The log's records; with a generator they are in any order that the grace allows, cut anyhow, some repeated."""
    place: Callable[[Said], int] = (
        (lambda said: said.until) if random is None else lambda said: random.choice(said.places())
    )
    rows: dict[tuple[int, str], list[Row]] = defaultdict(list)
    sent: dict[tuple[str, int], dict[int, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for said in log.readings:
        assert isinstance(said.what, tuple)
        rows[place(said), said.what[0]].append(said.what[1])
    for (stretch, site), some in rows.items():
        sent[TELEMETRY, partition_of(site.encode(), partitions)][stretch] += _cut(some, site, random)
    for said in log.stated:
        assert isinstance(said.what, Record)
        sent[said.what.topic, 0][place(said)].append(said.what)
    found: Queues = {}
    for topic, partition in [*((TELEMETRY, number) for number in range(partitions)), (SITES, 0), (DEMAND, 0)]:
        queue = [clock(T0 - 1000 + RULES.grace, topic)]
        for stretch in range(SECONDS + 4):
            some_records = sent[topic, partition][stretch]
            queue += random.sample(some_records, len(some_records)) if random else some_records
            queue.append(clock(T0 + stretch * 1000 + RULES.grace, topic))
        queue = queue if random is None else repeated(queue, random)
        found[topic, partition] = [replace(one, partition=partition, offset=i) for i, one in enumerate(queue)]
    return found


def _cut(rows: list[Row], site: str, random: Random | None) -> list[Record]:
    """As one frame, or as several and some bare readings, with readings twice."""
    if random is None:
        return [frame(rows, site)]
    rows = random.sample(rows, len(rows)) + random.choices(rows, k=random.choice((0, 0, 1, 3)))
    cuts = sorted({0, len(rows), *random.choices(range(len(rows) + 1), k=2)})
    found: list[Record] = []
    for begin, end in pairwise(cuts):
        bare = random.random() < 0.3
        found += [json_reading(one, site) for one in rows[begin:end]] if bare else [frame(rows[begin:end], site)]
    return found


def repeated(some: Sequence[T], random: Random) -> list[T]:
    """With one in five again, anywhere after itself."""
    keyed = [(float(i), one) for i, one in enumerate(some)]
    keyed += [(random.uniform(i, len(some)), one) for i, one in enumerate(some) if random.random() < 0.2]
    return [one for _, one in sorted(keyed, key=lambda place: place[0])]


def mixed(queues: Iterable[Sequence[T]], random: Random) -> list[T]:
    """In any order that is each queue's own."""
    lists = list(queues)
    left = [number for number, queue in enumerate(lists) for _ in queue]
    random.shuffle(left)
    heads = [iter(queue) for queue in lists]
    return [next(heads[number]) for number in left]


@dataclass
class Told:
    """What the machines said, without how often."""

    samples: dict[tuple[str, int], Any] = field(default_factory=dict)
    frames: dict[str, bytes | None] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)
    shortages: dict[str, bytes | None] = field(default_factory=dict)
    digest: str = ""

    def take(self, output: Outgoing) -> None:
        """Note it; what was said before must be the same now, so that consumers may drop it by its key."""
        if output.topic == SHORTAGES:
            _note(self.shortages, output.identity, output.value)
        elif output.topic == NODES:
            _note(self.frames, output.identity, output.value)
        elif output.topic == STATE:
            _note(self.states, output.identity, without_intake(output))
        elif output.topic == LEDGER:
            for sample in orjson.loads(output.value or b"").get("samples", ()):
                sample.pop("intake")
                _note(self.samples, (sample["site"], sample["tick"]), sample)

    def events(self) -> list[Any]:
        """The shortage events in the order in which they were first told."""
        return [orjson.loads(value or b"") for value in self.shortages.values()]

    def __eq__(self, other: object) -> bool:
        """Field by field; what is told in an order is told in the same."""
        assert isinstance(other, Told)
        for mine, its in ((self.states, other.states), (self.shortages, other.shortages)):
            assert list(mine) == list(its)
            assert mine == its
        assert self.samples == other.samples
        assert self.frames == other.frames
        return self.digest == other.digest

    __hash__ = None  # type: ignore[assignment]


def _note(known: dict[Any, Any], key: Any, value: Any) -> None:
    assert known.setdefault(key, value) == value


def without_intake(output: Outgoing) -> Any:
    body = orjson.loads(output.value or b"")
    body.pop("intake")
    return body


def folded_together(records: Iterable[Record], partitions: int) -> Told:
    """In one process, record by record."""
    twin, told = OfflineTwin(RULES, CATALOGUE, partitions), Told()
    for one in records:
        for output in twin.fold(one):
            told.take(output)
    told.digest = twin.digest()
    return told


class Machine(Protocol):
    def fold(self, record: Record) -> list[Outgoing]: ...
    def snapshot(self) -> bytes: ...
    def restore(self, packed: bytes) -> None: ...


M = TypeVar("M", bound=Machine)


def crashing(made: Callable[[], M], records: Sequence[Record], random: Random) -> tuple[M, list[Outgoing]]:
    """A machine that dies a few times and is taken over by another, which begins again at an older checkpoint."""
    deaths = sorted(random.choices(range(len(records) + 1), k=random.choice((0, 1, 3))))
    machine, at, outputs = made(), 0, list[Outgoing]()
    checkpoint, begun = machine.snapshot(), 0
    for death in [*deaths, len(records)]:
        saved = random.randint(begun, death)
        for place in range(at, death):
            if place == saved:
                checkpoint, begun = machine.snapshot(), place
            outputs += machine.fold(records[place])
        if death < len(records):
            machine, at = made(), begun
            machine.restore(checkpoint)
    return machine, outputs


def folded_apart(log: Log, partitions: int, random: Random) -> Told:
    """By a worker for each partition, one for admission and one for the ledger, all of which die now and then."""
    entries, told = list[list[Outgoing]](), Told()
    whole = OfflineTwin(RULES, CATALOGUE, partitions)
    for (topic, partition), queue in queues(log, partitions, random).items():
        if topic != TELEMETRY:
            entries.append(
                [output for one in _reread(queue, random) if (output := admit(one, CATALOGUE)).topic == LEDGER]
            )
            continue
        machine, outputs = crashing(
            lambda number=partition: TelemetryMachine(number, partitions, RULES, CATALOGUE),  # type: ignore[misc]
            queue,
            random,
        )
        whole.telemetry[partition] = machine
        for output in outputs:
            told.take(output)
        entries.append([output for output in outputs if output.topic == LEDGER])
    whole.fleet = folded_ledger(repeated(mixed(entries, random), random), random, told)
    told.digest = whole.digest()
    return told


def folded_ledger(entries: Sequence[Outgoing], random: Random | None, told: Told) -> FleetMachine:
    """By a fleet machine that dies now and then, if there is a generator."""
    if random is None:
        fleet = FleetMachine(RULES, CATALOGUE)
        outputs = [output for one in in_ledger(entries) for output in fleet.fold(one)]
    else:
        fleet, outputs = crashing(lambda: FleetMachine(RULES, CATALOGUE), in_ledger(entries), random)
    for output in outputs:
        told.take(output)
    return fleet


def _reread(queue: Sequence[T], random: Random) -> list[T]:
    """Read by one who dies once and begins again at an older offset."""
    death = random.randint(0, len(queue))
    return [*queue[:death], *queue[random.randint(0, death) :]]


def plain(log: Log) -> Told:
    """One process, one partition, nothing twice: stretch by stretch, telemetry first."""
    found = queues(log, 1)
    cut = {place: _stretches(queue) for place, queue in found.items()}
    return folded_together([one for stretch in zip(*cut.values(), strict=True) for some in stretch for one in some], 1)


def _stretches(queue: Sequence[Record]) -> Iterator[list[Record]]:
    some: list[Record] = []
    for one in queue:
        some.append(one)
        if one.header("ce_type") == EventType.CLOCK.encode():
            yield some
            some = []


SPLIT = st.sampled_from((1, 2, 3, 5))
SEEDS = st.integers(0, 2**32)
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def test_order_cuts_repeats_workers_and_crashes_do_not_show() -> None:
    seen: Counter[str] = Counter()

    @settings(SLOW, max_examples=40)
    @given(log=logs(), partitions=SPLIT, seed=SEEDS)
    def holds(log: Log, partitions: int, seed: int) -> None:
        random, told = Random(seed), plain(log)
        events = told.events()
        target(float(len(events)))
        seen.update({"logs", *(event["change"] for event in events), *(event["resource"]["kind"] for event in events)})

        assert folded_together(mixed(queues(log, partitions, random).values(), random), partitions) == told
        assert folded_apart(log, partitions, random) == told

    holds()
    assert {kind for kind in seen if seen[kind] * 10 >= seen["logs"]} >= {
        *("opened", "updated", "resolved"),
        *("accelerators", "power", "unplaced", "visibility"),
    }, seen
    assert seen["opened"] * 2 >= seen["logs"], seen


@settings(SLOW, max_examples=15)
@given(log=logs(), partitions=SPLIT, seed=SEEDS)
def test_a_ledger_that_says_who_was_away_is_folded_alike(log: Log, partitions: int, seed: int) -> None:
    """While one is away the ledger's order is what decides; before and after, each source's own."""
    random, twin = Random(seed), OfflineTwin(RULES, CATALOGUE, partitions)
    sources: dict[bytes, list[Outgoing]] = defaultdict(list)
    for one in mixed(queues(log, partitions).values(), random):
        for output in twin.fold(one):
            if output.topic == LEDGER:
                source = output.key if one.topic == TELEMETRY else one.topic.encode()
                sources[source or b""].append(output)
    entries = mixed(sources.values(), random)
    begun, ended_ = sorted(random.choices(range(len(entries) + 1), k=2))
    who = random.randrange(partitions)
    gone, again = (presence(who, away=away, instant=T0) for away in (True, False))

    def in_any_order(some: Sequence[Outgoing]) -> list[Outgoing]:
        mine = {id(one): source for source, found in sources.items() for one in found}
        found: dict[bytes, list[Outgoing]] = defaultdict(list)
        for one in some:
            found[mine[id(one)]].append(one)
        return repeated(mixed(found.values(), random), random)

    before, while_away, after = entries[:begun], entries[begun:ended_], entries[ended_:]
    told, other = Told(), Told()
    told.digest = folded_ledger([*before, gone, *while_away, again, *after], None, told).digest()
    other.digest = folded_ledger(
        [*in_any_order(before), gone, *repeated(while_away, random), again, *in_any_order(after)], random, other
    ).digest()

    assert other == told


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_says_the_same(seed: str) -> None:
    """Sets and dictionaries are laid out in another way there."""
    program = "from tests.twin.test_offline_twin import plain; print(plain())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{test_offline_twin.plain()}\n"
