"""How well the twin finds the shortages of tenants whose pending accelerators are known: the Helios traces.

    python -m benchmarks.helios --folder FOLDER [--json]

The folder is converted as `fleettwin traces convert helios` does, and its records are folded by the whole twin, without
Kafka, twice, side by side in two processes: with hysteresis `off` every shortage is told at the tick at which it is
seen; with it `on` once it has lasted `OPEN_AFTER`, and it resolves once it has been gone for `RESOLVE_AFTER`. The truth
is read from the files here, without the converter.

- An episode is a longest run of minutes in which a tenant has pending accelerators. A minute without a row is as the
  one before it, also where a tenant's file ends before those of others. Runs that last `OPEN_AFTER` or longer, from the
  first minute to the last, are `long` ones: shorter ones are kept back on purpose where hysteresis is on.
- A shortage is an episode of the twin whose scope is the tenant's project, for `accelerators` or `unplaced`, from the
  tick at which it was told open to the one from which it was gone.
- An episode is found if a shortage of its tenant overlaps it; recall is the part of episodes that are found, precision
  the part of shortages that overlap an episode; null where there is nothing to divide by. Shortages of sites and of the
  fleet are counted as `other_shortages` and not judged.
- The lag of a found episode is the time from its first minute until a shortage that overlaps it is open.
- A flap is a shortage that is told open within `FLAP_WITHIN` of when the one before it, of the same tenant and the same
  resource, was told resolved. With hysteresis on there are none unless the twin breaks its rules: what comes back takes
  longer to be told. `again_within_minutes` counts by longer times, too, which no rule excludes.
- A minute is `over_capacity` if running and pending exceed the capacity together, `within_capacity` if they do not and
  some are pending, else `served`. Of each kind it is counted in how many minutes an open shortage of the tenant names
  accelerators as the constraint that binds (`binds`), and in how many one is open for `unplaced`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson

from benchmarks.machine import machine
from models.catalogue import shipped_catalogue
from models.cloudevents import EventType
from models.errors import ConfigurationError
from models.partitioning import placed
from models.record import Outgoing, Record
from models.shortage import Change, Constraint, ScopeKind
from models.topics import DEMAND, SHORTAGES, SITES, STATE, TELEMETRY
from streams.traces.helios import MINUTE, RULES, Tenant, read_tenants, tenant_steps
from streams.traces.inventory import inventory_records
from twin.offline import OfflineTwin
from twin.rules import Rules

OPEN_AFTER = RESOLVE_AFTER = FLAP_WITHIN = 5 * MINUTE
HYSTERESIS = {
    "off": replace(RULES, open_after=0, resolve_after=0, unplaced_after=0),
    "on": replace(RULES, open_after=OPEN_AFTER, resolve_after=RESOLVE_AFTER, unplaced_after=OPEN_AFTER),
}
RESOURCES = ("accelerators", "unplaced")
KINDS = ("over_capacity", "within_capacity", "served")
PARTITIONS = {TELEMETRY: 1, SITES: 1, DEMAND: 1}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(text: str) -> int:
    """Milliseconds since 1970; a time that names no zone is UTC."""
    moment = datetime.fromisoformat(text)
    return round(((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH).total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Span:
    """A tenant's episode or shortage; milliseconds since 1970."""

    tenant: str
    first: int
    end: int
    """The first minute that is not of it."""

    def overlaps(self, other: Span) -> bool:
        """Whether both are under way at some minute."""
        return self.tenant == other.tenant and self.first < other.end and other.first < self.end


@dataclass(frozen=True, slots=True)
class Truth:
    """What the files say."""

    kinds: Mapping[int, Mapping[str, str]]
    """By minute and tenant, the kind of minute."""
    episodes: tuple[Span, ...]


def read_truth(folder: Path, tenants: Sequence[str] = (), begin: int = 0, until: int | None = None) -> Truth:
    """Read the files of these tenants, or of all, from `begin` until before `until`."""
    kinds: dict[int, dict[str, str]] = defaultdict(dict)
    of_tenants: dict[str, Mapping[int, str]] = {}
    for path in sorted([*folder.glob("vc*.csv"), *folder.glob("vc*.csv.gz")]):
        tenant = path.name.partition(".csv")[0]
        if not tenants or tenant in tenants:
            of_tenants[tenant] = _kinds(path, begin, until)
            for at, kind in of_tenants[tenant].items():
                kinds[at][tenant] = kind
    end = max(kinds) + MINUTE
    return Truth(kinds, tuple(run for tenant in of_tenants for run in _runs(tenant, of_tenants[tenant], end)))


def _kinds(path: Path, begin: int, until: int | None) -> dict[int, str]:
    """The kind of every minute that has a row; the last row of a minute counts."""
    kinds = {}
    packed = path.read_bytes()
    text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode("utf-8-sig")
    for row in csv.DictReader(text.splitlines()):
        at = instant(row["time"])
        running, pending = float(row["running_gpu_num"]), float(row["pending_gpu_num"])
        if begin <= at and (until is None or at < until):
            over = running + pending > float(row["total_gpu_num"])
            kinds[at] = "served" if not pending else "over_capacity" if over else "within_capacity"
    return kinds


def _runs(tenant: str, kinds: Mapping[int, str], end: int) -> list[Span]:
    """The tenant's episodes; one that is under way at its last row goes on to the end."""
    runs, first = [], None
    for at in sorted(kinds):
        short = kinds[at] != "served"
        if short and first is None:
            first = at
        elif not short and first is not None:
            runs.append(Span(tenant, first, at))
            first = None
    return runs if first is None else [*runs, Span(tenant, first, end)]


@dataclass
class Told:
    """What the twin tells, taken in output by output."""

    truth: Truth
    opened: list[dict[str, Any]] = field(default_factory=list)
    """The events that opened a shortage of a project, in order."""
    resolved: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The events that resolved one, by its id."""
    events: int = 0
    others: int = 0
    """Shortages of sites and of the fleet."""
    minutes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind of minute, how many there were and what was told of them."""
    constraints: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind of minute, the constraint that binds in what is told for accelerators."""
    _open: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, output: Outgoing) -> None:
        """Take in an output: shortages, and, as the last output of a tick, the state of the fleet."""
        if output.topic == SHORTAGES:
            self._event(orjson.loads(output.value or b""))
        elif output.topic == STATE and ("ce_type", EventType.FLEET_STATE.encode()) in output.headers:
            self._close(instant(orjson.loads(output.value or b"")["tick"]))

    def _event(self, event: dict[str, Any]) -> None:
        self.events += 1
        if event["scope"]["kind"] != ScopeKind.PROJECT:
            self.others += event["change"] == Change.OPENED
            return
        if event["change"] == Change.RESOLVED:
            self.resolved[event["id"]] = event
            del self._open[event["id"]]
            return
        if event["change"] == Change.OPENED:
            self.opened.append(event)
        self._open[event["id"]] = event

    def _close(self, tick: int) -> None:
        kinds = self.truth.kinds.get(tick, {})
        told: dict[str, set[str]] = defaultdict(set)
        for event in self._open.values():
            tenant, binding = event["scope"]["name"], event["binding"]["constraint"]
            if event["resource"]["kind"] == "unplaced":
                told[tenant].add("unplaced")
                continue
            if binding == Constraint.ACCELERATORS:
                told[tenant].add("binds")
            if tenant in kinds:
                self.constraints[kinds[tenant], binding] += 1
        for tenant, kind in kinds.items():
            self.minutes[kind, "minutes"] += 1
            self.minutes.update((kind, word) for word in told[tenant])

    def shortages(self, resource: str) -> list[Span]:
        """The shortages that were told of a resource."""
        return [
            Span(event["scope"]["name"], instant(event["at"]), self._gone(event["id"]))
            for event in self.opened
            if event["resource"]["kind"] == resource
        ]

    def _gone(self, id_: str) -> int:
        found = self.resolved.get(id_)
        return max(self.truth.kinds) + MINUTE if found is None else instant(found["resolved_at"])

    def again(self, within: int) -> int:
        """How many shortages were told open within so many milliseconds of when the one before was told resolved."""
        before: dict[tuple[str, str], int] = {}
        count = 0
        for event in self.opened:
            place = event["scope"]["name"], orjson.dumps(event["resource"]).decode()
            resolved = before.get(place)
            count += resolved is not None and instant(event["at"]) - resolved <= within
            if event["id"] in self.resolved:
                before[place] = instant(self.resolved[event["id"]]["at"])
        return count


def folded(records: Iterable[Record], rules: Rules, truth: Truth) -> Told:
    """What the twin tells of these records."""
    twin = OfflineTwin(rules, shipped_catalogue(), PARTITIONS[TELEMETRY])
    told = Told(truth)
    for record in placed(records, PARTITIONS):
        for output in twin.fold(record):
            told.take(output)
    return told


def scored(truth: Truth, told: Told) -> dict[str, Any]:
    """The figures of one fold, by their names."""
    by_resource = {resource: told.shortages(resource) for resource in RESOURCES}
    shortages = [one for spans in by_resource.values() for one in spans]
    lags = {episode: _lag(episode, shortages) for episode in truth.episodes}
    found = {episode: lag for episode, lag in lags.items() if lag is not None}
    long = [episode for episode in truth.episodes if episode.end - MINUTE - episode.first >= OPEN_AFTER]
    right = {
        resource: sum(any(one.overlaps(episode) for episode in truth.episodes) for one in spans)
        for resource, spans in by_resource.items()
    }
    seconds = sorted(lag / 1000 for lag in found.values())
    return {
        "episodes": len(truth.episodes),
        "found": len(found),
        "recall": _part(len(found), len(truth.episodes)),
        "precision": _part(sum(right.values()), len(shortages)),
        "lag_seconds": {
            "p50": statistics.median_low(seconds) if seconds else None,
            "max": seconds[-1] if seconds else None,
        },
        "flaps": told.again(FLAP_WITHIN),
        "again_within_minutes": {str(minutes): told.again(minutes * MINUTE) for minutes in (5, 10, 30)},
        "long": {
            "episodes": len(long),
            "found": sum(episode in found for episode in long),
            "recall": _part(sum(episode in found for episode in long), len(long)),
        },
        "kinds": {
            resource: {"shortages": len(spans), "precision": _part(right[resource], len(spans))}
            for resource, spans in by_resource.items()
        },
        "minutes": {
            kind: {word: told.minutes[kind, word] for word in ("minutes", "binds", "unplaced")} for kind in KINDS
        },
        "constraints": {
            kind: {name: count for (of, name), count in sorted(told.constraints.items()) if of == kind}
            for kind in KINDS
        },
        "events": told.events,
        "other_shortages": told.others,
    }


def _lag(episode: Span, shortages: Iterable[Span]) -> int | None:
    begun = [one.first for one in shortages if one.overlaps(episode)]
    return max(min(begun) - episode.first, 0) if begun else None


def _part(some: int, of: int) -> float | None:
    return some / of if of else None


def measured(tenants: Sequence[Tenant], truth: Truth, hysteresis: str) -> dict[str, Any]:
    """The figures of one fold, and what it took."""
    began = time.perf_counter()
    records = list(inventory_records(tenant_steps(tenants), "traces/helios", RULES.tick))
    converted = time.perf_counter()
    told = folded(records, HYSTERESIS[hysteresis], truth)
    took = {"convert": round(converted - began, 1), "fold": round(time.perf_counter() - converted, 1)}
    size = {"tenants": len(tenants), "ticks": len(truth.kinds), "records": len(records)}
    return {**scored(truth, told), **size, "seconds": took}


def compared(tenants: Sequence[Tenant], truth: Truth) -> dict[str, Any]:
    """All figures, each with hysteresis `off` and `on`."""
    with ProcessPoolExecutor(len(HYSTERESIS), get_context("spawn")) as pool:
        begun = {hysteresis: pool.submit(measured, tenants, truth, hysteresis) for hysteresis in HYSTERESIS}
        scores = {hysteresis: score.result() for hysteresis, score in begun.items()}
    return {
        **{name: {hysteresis: score[name] for hysteresis, score in scores.items()} for name in scores["off"]},
        "rules": {hysteresis: asdict(rules) for hysteresis, rules in HYSTERESIS.items()},
        "machine": machine(),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--folder", type=Path, required=True, help="with vc*.csv.gz or vc*.csv in it")
    options.add_argument("--tenant", action="append", default=[], help="as its file is called; may be repeated")
    options.add_argument("--from", dest="begin", type=instant, help="the first minute wanted, UTC")
    options.add_argument("--until", type=instant, help="the first minute not wanted any more, UTC")
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args()
    try:
        tenants = read_tenants(chosen.folder, chosen.tenant, chosen.begin, chosen.until)
    except ConfigurationError as error:
        options.error(str(error))
    figures = compared(tenants, read_truth(chosen.folder, chosen.tenant, chosen.begin or 0, chosen.until))
    print(json.dumps(figures, indent=2) if chosen.json else table(figures))


def table(figures: Mapping[str, Any]) -> str:
    """For people: a line for each figure, in two columns."""
    lines = [", ".join(f"{name} {value}" for name, value in figures["machine"].items())]
    lines.append(f"{'hysteresis':44}{'off':>12}{'on':>12}")
    for name, value in figures.items():
        if isinstance(value, dict) and value.keys() == HYSTERESIS.keys() and name != "rules":
            off, on = dict(_leaves(name, value["off"])), dict(_leaves(name, value["on"]))
            lines += [f"{leaf:44}{_shown(off.get(leaf)):>12}{_shown(on.get(leaf)):>12}" for leaf in {**off, **on}]
    return "\n".join(lines)


def _leaves(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, dict):
        return [(name.replace("_", " "), value)]
    return [leaf for part, inner in value.items() for leaf in _leaves(f"{name} {part}", inner)]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4f}" if isinstance(value, float) else f"{value:,}"


if __name__ == "__main__":
    main()
