"""Whether the planner says of a cluster that fills what a best-fit packer finds: the Alibaba 2023 trace of arrivals.

    python -m benchmarks.alibaba --nodes CSV --pods CSV [--json]

Pods are admitted in the order of their creation and never end. Before each pod with GPUs is placed, the planner of the
fleet machine is asked through its public interface: the pod is one pending demand, with its types and its gang, and the
site is as the twin would see it at that moment, rounded by `streams.traces.rounding` as in the converter's log. The pod
fits if all that it asks for is servable. Then the packer (`streams.traces.packing`), which knows nothing of the twin,
places it or not, and the two are compared.

- `agreement`: over all pods with GPUs, against a packer for which CPU and memory bind, as in a real cluster. The twin
  knows neither; the rounding tells it which free GPUs are stranded without them.
- `asked`: the pods that ask the planner for accelerators. The others are shares which the rounding packs with other
  shares; their verdict is the rounding's own.
- `other_views` has what comes of it otherwise. `gpus_alone`: CPU and memory bind, and nobody tells the twin.
  `whole_shares`: every share asks for a whole accelerator. `gpus_only`: CPU and memory bind nobody.
- `unplaced_gpus` adds up what was asked for by pods that do not fit, shares as fractions. `free_gpus` is what the
  packer has left over in the end, parts of shared GPUs and stranded ones included.
- `filling` shows the cluster after every so many pods: `free_gpus`, of these `whole` ones that nobody uses and
  `usable` ones that are not stranded, and what the planner says can still be placed, by type and gang.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from models.catalogue import Catalogue
from models.demand import DemandRevised
from models.errors import ConfigurationError
from models.instants import moment_of
from models.sample import Intake, NodeCounts, PowerSplit, SiteSample
from models.state import Presence
from streams.traces.alibaba import Node, Pod, models_of, read_nodes, read_pods
from streams.traces.filling import PROJECT, SITE, START
from streams.traces.gpu_models import trace_catalogue, type_of
from streams.traces.packing import Cluster
from streams.traces.rounding import Standing
from twin.fleet import FleetMachine
from twin.planner import Planner
from twin.rules import Rules
from twin.view import SiteView

ROWS = 20
"""Of the table that shows how the cluster fills, unless asked otherwise."""

GANGS = (1, 2, 4, 8)


@dataclass
class Tally:
    """Verdicts, the planner's first, against what the packer found."""

    verdicts: Counter[tuple[bool, bool]] = field(default_factory=Counter)

    def add(self, planner: bool, packer: bool) -> None:
        """Count a pod in."""
        self.verdicts[planner, packer] += 1

    def told(self) -> dict[str, Any]:
        """For JSON; agreement is none where there are no pods."""
        pods = self.verdicts.total()
        agreed = self.verdicts[True, True] + self.verdicts[False, False]
        return {
            "pods": pods,
            "agreement": round(agreed / pods, 6) if pods else None,
            "fit": self.verdicts[True, True],
            "do_not_fit": self.verdicts[False, False],
            "planner_says_fits_packer_finds_no_place": self.verdicts[True, False],
            "planner_says_no_packer_finds_a_place": self.verdicts[False, True],
        }


@dataclass
class Asked:
    """The planner, asked about one cluster."""

    planner: Planner
    standing: Standing

    def fits(self, pod: Pod, wanted: int) -> bool:
        """Whether so many accelerators, on one node, could be had for the pod."""
        return wanted == 0 or self.servable(pod.models, wanted, wanted) == wanted

    def servable(self, models: Sequence[str], gang: int, wanted: int) -> int:
        """How many of the accelerators wanted, in gangs on nodes of these models, could be had; no model means any."""
        demand = DemandRevised(
            demand="asked",
            project=PROJECT,
            at=moment_of(START),
            wanted=wanted,
            types=tuple(sorted({type_of(model) for model in models})),
            gang=gang,
        )
        return self.planner.assess([self.view()], [demand], {}).servable.get("asked", 0)

    def view(self) -> SiteView:
        """The site as the twin sees it."""
        nodes = self._nodes
        sample = SiteSample(
            site=SITE,
            tick=START,
            nodes=NodeCounts(reporting=nodes, stale=0, lost=0, in_service=nodes, draining=0, maintenance=0, failed=0),
            pools=self.standing.pools(),
            power=PowerSplit(measured=0, modelled=0, carried=0, unknown_nodes=nodes),
            energy_joules=0,
            gaps=0,
            newest=START,
            intake=Intake(observed=nodes, duplicate=0, superseded=0, late=0, refused=0),
        )
        return SiteView(SITE, Presence.PRESENT, sample, None)

    @cached_property
    def _nodes(self) -> int:
        return sum(node.gpus > 0 for node in self.standing.cluster.nodes)


@dataclass
class Trial:
    """A cluster that is filled while the planner is asked about every pod."""

    nodes: Sequence[Node]
    catalogue: Catalogue
    hosts: bool = True
    """Whether CPU and memory bind."""
    strands: bool = True
    packs_shares: bool = True
    every: int = 0
    """A row of `filling` after so many pods; none for 0."""
    whole: Tally = field(default_factory=Tally)
    shares: Tally = field(default_factory=Tally)
    asked: Tally = field(default_factory=Tally)
    gangs: dict[int, Tally] = field(default_factory=dict)
    unplaced: Counter[str] = field(default_factory=Counter)
    """Thousandths of GPUs, by who says that they cannot be placed."""
    filling: list[dict[str, Any]] = field(default_factory=list)
    free: int = 0
    first_unplaced: int | None = None
    """How many pods came before the first that the packer did not place."""

    def run(self, pods: Sequence[Pod]) -> None:
        """Fill it."""
        cluster = Cluster(self.nodes, hosts=self.hosts)
        standing = Standing(cluster, strands=self.strands)
        asked = Asked(FleetMachine(Rules(), self.catalogue).planner, standing)
        come = 0
        for pod in pods:
            if not pod.gpus:
                cluster.place(pod)
                continue
            wanted = standing.asks(pod) if self.packs_shares else pod.gpus
            fits = asked.fits(pod, wanted)
            placed = cluster.place(pod) is not None
            standing.usual.meet(pod)
            self._count(pod, wanted, come, fits=fits, placed=placed)
            come += 1
            if self.every and come % self.every == 0:
                self.filling.append(self._row(come, asked))
        self.free = cluster.free
        if self.every and come % self.every:
            self.filling.append(self._row(come, asked))

    def _count(self, pod: Pod, wanted: int, come: int, *, fits: bool, placed: bool) -> None:
        (self.shares if pod.shares else self.whole).add(fits, placed)
        self.gangs.setdefault(pod.gpus, Tally()).add(fits, placed)
        if wanted:
            self.asked.add(fits, placed)
        self.unplaced["planner"] += 0 if fits else pod.milli
        self.unplaced["packer"] += 0 if placed else pod.milli
        if not placed and self.first_unplaced is None:
            self.first_unplaced = come

    def _row(self, come: int, asked: Asked) -> dict[str, Any]:
        standing = asked.standing
        pools = {pool.type: pool for pool in standing.pools()}
        gangs = [gang for gang in GANGS if gang <= int(standing.cluster.gpus.max())]
        all_ = self.whole.verdicts + self.shares.verdicts
        placeable = {
            type_: {
                gang: asked.servable([type_], gang, pool.free // gang * gang) if pool.free >= gang else 0
                for gang in gangs
            }
            for type_, pool in pools.items()
        }
        return {
            "pods": come,
            "placed": all_[True, True] + all_[False, True],
            "free_gpus": standing.cluster.free / 1000,
            "whole": int(standing.cluster.whole.sum()),
            "usable": sum(pool.free for pool in pools.values()),
            "placeable": placeable,
        }

    def agreement(self) -> dict[str, Any]:
        """Over all pods, and how they disagree."""
        return Tally(self.whole.verdicts + self.shares.verdicts).told()


def measured(nodes: Path, pods: Path, every: int | None, limit: int | None) -> dict[str, Any]:
    """Everything; `limit` takes the first so many pods alone, those without GPUs included."""
    began = time.perf_counter()
    cluster, arrivals = read_nodes(nodes), read_pods(pods)[:limit]
    catalogue = trace_catalogue(models_of(cluster, arrivals), cluster)
    with_gpus = sum(pod.gpus > 0 for pod in arrivals)
    main = Trial(cluster, catalogue, every=max(1, -(-with_gpus // ROWS)) if every is None else every)
    others = {
        "gpus_alone": Trial(cluster, catalogue, strands=False),
        "whole_shares": Trial(cluster, catalogue, packs_shares=False),
        "gpus_only": Trial(cluster, catalogue, hosts=False),
    }
    main.run(arrivals)
    seconds = time.perf_counter() - began
    for trial in others.values():
        trial.run(arrivals)
    all_ = main.agreement()
    return {
        "pods": with_gpus,
        "agreement": all_["agreement"],
        "unplaced_gpus": {who: main.unplaced[who] / 1000 for who in ("planner", "packer")},
        "free_gpus": main.free / 1000,
        "gpus": sum(node.gpus for node in cluster),
        "nodes_with_gpus": sum(node.gpus > 0 for node in cluster),
        "requested_gpus": sum(pod.milli for pod in arrivals) / 1000,
        "pods_before_the_first_unplaced": main.first_unplaced,
        "all": all_,
        "whole": main.whole.told(),
        "shares": main.shares.told(),
        "by_gang": {gang: tally.told() for gang, tally in sorted(main.gangs.items())},
        "asked": main.asked.told(),
        "other_views": {
            name: {
                **trial.agreement(),
                "unplaced_gpus": {who: trial.unplaced[who] / 1000 for who in ("planner", "packer")},
                "free_gpus": trial.free / 1000,
            }
            for name, trial in others.items()
        },
        "filling": main.filling,
        "seconds": {"agreement": round(seconds, 2), "all": round(time.perf_counter() - began, 2)},
        "machine": machine(),
    }


def told(found: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{'':28}{'pods':>7}{'agreement':>11}{'fit':>7}{'do not':>8}{'fits, no place':>16}{'no, but placed':>16}"]
    tallies = {
        "all": found["all"],
        "whole GPUs": found["whole"],
        "shares": found["shares"],
        **{f"gang of {gang}": tally for gang, tally in found["by_gang"].items()},
        "asked of the planner": found["asked"],
        **{name.replace("_", " "): view for name, view in found["other_views"].items()},
    }
    for name, tally in tallies.items():
        agreement = "-" if tally["agreement"] is None else f"{tally['agreement']:.2%}"
        lines.append(
            f"{name:28}{tally['pods']:>7}{agreement:>11}{tally['fit']:>7}{tally['do_not_fit']:>8}"
            f"{tally['planner_says_fits_packer_finds_no_place']:>16}"
            f"{tally['planner_says_no_packer_finds_a_place']:>16}"
        )
    lines += [
        "",
        f"{'pods':>6}{'placed':>8}{'free GPUs':>11}{'whole':>7}{'usable':>8}  still placeable by type, gang by gang",
    ]
    for row in found["filling"]:
        still = "; ".join(
            f"{type_} {'/'.join(str(count) for count in gangs.values())}" for type_, gangs in row["placeable"].items()
        )
        lines.append(
            f"{row['pods']:>6}{row['placed']:>8}{row['free_gpus']:>11.2f}{row['whole']:>7}{row['usable']:>8}  {still}"
        )
    unplaced = found["unplaced_gpus"]
    lines += [
        "",
        f"not placed: {unplaced['packer']:.2f} GPUs by the packer, {unplaced['planner']:.2f} by the planner;"
        f" {found['free_gpus']:.2f} of {found['gpus']} left over, {found['requested_gpus']:.2f} requested",
        f"{found['seconds']['agreement']} s, with the other views {found['seconds']['all']} s;"
        f" {found['machine']['cpu']}, {found['machine']['cores']} cores",
    ]
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--nodes", type=Path, required=True, help="CSV, plain or gzipped")
    options.add_argument("--pods", type=Path, required=True, help="CSV, plain or gzipped")
    options.add_argument("--json", action="store_true")
    options.add_argument("--every", type=int, help=f"pods between two rows of `filling`; unset: {ROWS} rows")
    options.add_argument("--limit", type=int, help="the first so many pods alone")
    chosen = options.parse_args()
    try:
        found = measured(chosen.nodes, chosen.pods, chosen.every, chosen.limit)
    except ConfigurationError as wrong:
        print(wrong, file=sys.stderr)
        sys.exit(2)
    print(json.dumps(found, indent=2) if chosen.json else told(found))


if __name__ == "__main__":
    main()
