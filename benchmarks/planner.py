"""How long it takes to plan anew when every pool of the fleet has changed, and when nothing has.

    python -m benchmarks.planner
    python -m benchmarks.planner --json

Random fleets in which twice as much is asked for as is free: nodes of eight of which most are busy, gangs of 1, 2, 4
and 8, five priorities, three kinds of work, twenty tenants of which half have a limit, and headroom that about half of
the sites run out of. One of sixty projects does one kind of work for one tenant and accepts one type or one of a few
alternatives; each of its demands at any site, in a region of four sites, or at one site. Almost everything hangs
together and must be solved as one. In the fleets called `distinct` nearly every demand has types and sites of its own.

The demands stand, and every pool and the power of every site change from one assessment to the next. Times are of whole
assessments: from views and demands to shortfalls with what binds. `p50_ms` and `p99_ms` are over fleets, of each the
quickest of three passes; `p99_any_ms` is over all passes, with whatever else the machine did. `unchanged_ms` is the
median of asking again. `gap` is by how many accelerators a plan may fall short of the best. A fleet's number is its
seed.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.machine import machine
from models.catalogue import Catalogue, shipped_catalogue
from models.demand import DemandRevised
from models.facts import SiteFacts
from models.instants import moment_of
from models.sample import Intake, NodeCounts, Pool, PowerSplit, SiteSample
from models.state import Presence
from models.tenant import Quota
from twin.planner import Quotas
from twin.planning.exact import ExactPlanner
from twin.rules import Rules
from twin.view import SiteView

START = 1_800_000_000_000
TYPES = ("h100-sxm", "h200-sxm", "b200-sxm", "mi300x", "a100-sxm", "gaudi3")
ALTERNATIVES = (
    ("h100-sxm",),
    ("h200-sxm",),
    ("b200-sxm",),
    ("mi300x",),
    ("a100-sxm",),
    ("gaudi3",),
    ("h100-sxm", "h200-sxm"),
    ("b200-sxm", "h200-sxm"),
    ("h100-sxm", "mi300x"),
    (),
)
WORK = (("training", 8), ("training", 8), ("training", 4), ("inference", 1), ("inference", 4), ("latency_bound", 2))
PROJECTS = 60
PASSES = 3
TENANTS = tuple(f"tenant-{number:02}" for number in range(20))


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to plan."""

    demands: int
    pools: int
    sites: int
    fleets: int
    distinct: bool = False

    @property
    def name(self) -> str:
        """As it stands in the result."""
        return f"{self.demands}x{self.pools}x{self.sites}{' distinct' if self.distinct else ''}"


SIZES = (Size(500, 60, 20, 200), Size(5000, 400, 100, 20), Size(500, 60, 20, 50, distinct=True))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print JSON")
    chosen = options.parse_args()
    catalogue = shipped_catalogue()
    figures = {size.name: measured(size, catalogue) for size in SIZES}
    names = list(next(iter(figures.values())))
    result = {name: {size: found[name] for size, found in figures.items()} for name in names}
    if chosen.json:
        print(json.dumps({**result, "machine": machine()}, indent=2))
        return
    print(f"{'demands x pools x sites':<24}" + "".join(f"{name:>14}" for name in names))
    for size, found in figures.items():
        print(f"{size:<24}" + "".join(f"{value:>14,}" for value in found.values()))


def measured(size: Size, catalogue: Catalogue) -> dict[str, float]:
    """Milliseconds; accelerators asked for, servable, and by how many the best plan may serve more, on average."""
    demands, quotas = random_demands(size)
    planner = ExactPlanner(catalogue, Rules())
    fleets = [random_sites(size, seed, catalogue) for seed in range(size.fleets)]
    planner.assess(fleets[-1], demands, quotas)
    took, again = np.zeros((2, PASSES, size.fleets))
    served = short = gap = 0
    for run in range(PASSES):
        for seed, sites in enumerate(fleets):
            begun = time.perf_counter()
            assessment = planner.assess(sites, demands, quotas)
            took[run, seed] = (time.perf_counter() - begun) * 1000
            begun = time.perf_counter()
            planner.assess(sites, demands, quotas)
            again[run, seed] = (time.perf_counter() - begun) * 1000
            served += sum(assessment.servable.values())
            short += len(assessment.shortfalls)
            gap += assessment.gap
    quickest = took.min(axis=0)
    return {
        "fleets": size.fleets,
        "p50_ms": round(float(np.median(quickest)), 2),
        "p99_ms": round(float(np.percentile(quickest, 99)), 2),
        "p99_any_ms": round(float(np.percentile(took, 99)), 2),
        "unchanged_ms": round(float(np.median(again)), 3),
        "pending": sum(demand.wanted - demand.granted for demand in demands),
        "servable": served // took.size,
        "gap": round(gap / took.size, 1),
        "shortfalls": short // took.size,
    }


def random_sites(size: Size, seed: int, catalogue: Catalogue) -> list[SiteView]:
    """Sites of that many pools, whose types do not depend on the seed."""
    random = np.random.default_rng(seed)
    each = size.pools // size.sites
    kinds = np.random.default_rng(0)
    types = [kinds.choice(TYPES, each, replace=False).tolist() for _ in range(size.sites)]
    return [random_site(site, some, random, catalogue) for site, some in zip(names(size), types, strict=True)]


def random_demands(size: Size) -> tuple[list[DemandRevised], Quotas]:
    """Demands, and limits of half of the tenants."""
    random = np.random.default_rng(size.demands)
    demands = [random_demand(number, names(size), random, distinct=size.distinct) for number in range(size.demands)]
    return demands, {tenant: (Quota(limit=int(random.integers(200, 4000))),) for tenant in TENANTS[::2]}


def names(size: Size) -> list[str]:
    """The sites."""
    return [f"site-{number:03}" for number in range(size.sites)]


def random_site(site: str, types: list[str], random: np.random.Generator, catalogue: Catalogue) -> SiteView:
    """A site of some hundred nodes of each type, most of them busy."""
    pools = []
    draw = 0
    for type_ in sorted(types):
        nodes = int(random.integers(50, 400))
        free = random.binomial(8, random.uniform(0.05, 0.3), nodes)
        free[random.random(nodes) < 0.1] = 8
        histogram = np.bincount(free, minlength=9)
        count = int(free.sum())
        pools.append(
            Pool(
                type=type_,
                installed=nodes * 8,
                in_service=nodes * 8,
                allocated=nodes * 8 - count,
                free=count,
                held_idle=0,
                allocation_unknown=0,
                lost=int(random.integers(0, 3)) * 8,
                free_per_node=tuple(histogram.tolist()),
                utilization_ppm=500_000,
                utilization_known=nodes * 8,
            )
        )
        draw += count * catalogue[type_].working_milliwatts(None)
    facility = int(random.integers(5, 50)) * 1_000_000_000
    supply = facility + int(draw * random.uniform(0.0, 1.5))
    sample = SiteSample(
        site=site,
        tick=START,
        nodes=NodeCounts(reporting=1, stale=0, lost=0, in_service=1, draining=0, maintenance=0, failed=0),
        pools=tuple(pools),
        power=PowerSplit(measured=facility, modelled=0, carried=0, unknown_nodes=0),
        energy_joules=0,
        gaps=0,
        newest=START,
        intake=Intake(observed=0, duplicate=0, superseded=0, late=0, refused=0),
    )
    facts = SiteFacts(site=site, at=moment_of(START), supply_watts=supply / 1000, pue=1.0)
    return SiteView(site, Presence.PRESENT, sample, facts)


def random_demand(number: int, sites: list[str], random: np.random.Generator, *, distinct: bool) -> DemandRevised:
    """A demand that waits for something between a few and some hundred accelerators."""
    project = number % PROJECTS
    workload, gang = WORK[project % len(WORK)]
    types = ALTERNATIVES[project % len(ALTERNATIVES)]
    region = int(random.integers(0, len(sites), endpoint=False)) // 4 * 4
    places = [(), tuple(sites[region : region + 4]), (sites[region],)][int(random.choice(3, p=[0.5, 0.3, 0.2]))]
    if distinct:
        types = tuple(random.choice(TYPES, int(random.integers(1, 4)), replace=False).tolist())
        places = tuple(random.choice(sites, int(random.integers(1, 4)), replace=False).tolist()) if places else ()
    return DemandRevised.model_validate(
        {
            "demand": f"demand-{number:05}",
            "project": f"project-{project:03}",
            "tenant": TENANTS[project % len(TENANTS)],
            "at": moment_of(START),
            "wanted": gang * max(1, int(random.lognormal(2.3, 1.0))),
            "types": types,
            "sites": places,
            "gang": gang,
            "priority": int(random.integers(0, 5)) * 20,
            "workload": workload,
        }
    )


if __name__ == "__main__":
    main()
