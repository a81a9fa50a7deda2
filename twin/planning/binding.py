"""What holds back a lot that is not fully served: what would have to give way for it to be served one gang more.

A constraint binds a lot if without it the lot could be served more while every lot keeps at least what it is served.
Where a pool shows that directly (room for the gang there but no power, say), that is a proof. Where others would have
to move for it, `Relaxations` finds out. If nothing binds by itself, the fewest constraints are named that do together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from models.shortage import Constraint, OneMore, Unit
from twin.planning.model import Model
from twin.planning.packing import Nodes
from twin.planning.problem import Lot, Pool, Problem
from twin.planning.relaxing import Relaxations
from twin.planning.solving import Solved

ORDER = (
    Constraint.QUOTA,
    Constraint.WHOLE_NODES,
    Constraint.POWER,
    Constraint.ACCELERATORS,
    Constraint.UNKNOWN_CAPACITY,
)
"""What is changed most easily comes first; nodes that may come back come last."""

MEGAWATT = 1_000_000_000
"""In milliwatts."""


@dataclass(frozen=True)
class Finding:
    """A constraint that binds, where, and together with which others."""

    constraint: Constraint
    sites: tuple[str, ...]
    types: tuple[str, ...]
    """Of the pools that would serve more; of a quota none."""
    together_with: tuple[Constraint, ...] = ()
    one_more: OneMore | None = None

    @cached_property
    def name(self) -> str:
        """The same for the same constraints."""
        return "+".join((self.constraint, *self.together_with))


Needs = dict[tuple[Constraint, ...], list[int]]
"""What would have to give way for one more gang, in the order of `ORDER`: the pools on which that is so."""


class Bindings:
    """Finds what binds each lot of a plan."""

    def __init__(self, model: Model, best: Solved) -> None:
        self.model = model
        self.problem: Problem = model.problem
        self.plan = best.plan
        self._best = best
        self._relaxations = Relaxations(model, best)
        self._found: dict[tuple[int, tuple[int, ...]], tuple[Finding, ...]] = {}
        self._needed: dict[int, Needs] = {}
        self._megawatts: dict[str, int] = {}

    def of(self, at: int) -> tuple[Finding, ...]:
        """What binds a lot that is not fully served, what is changed most easily first.

        Lots of one shape are bound alike, but for quotas that have no room for a gang more.
        """
        lot = self.problem.lots[at]
        gang = self.model.gang(at)
        key = lot.shape, tuple(quota for quota in lot.quotas if self.plan.quotas[quota] < gang)
        if key not in self._found:
            self._found[key] = tuple(self._findings(lot))
        return self._found[key]

    def _findings(self, lot: Lot) -> Iterator[Finding]:
        needs = self._needs(lot)
        alone = False
        for constraint in ORDER:
            found = self._alone(lot, constraint, needs.get((constraint,), []))
            if found is not None:
                alone = True
                yield found
        if not alone:
            yield self._together(needs)

    def _needs(self, lot: Lot) -> Needs:
        gang = self.problem.shapes[lot.shape].gang
        if lot.shape not in self._needed:
            self._needed[lot.shape] = self._needs_of(lot.shape)
        needs = self._needed[lot.shape]
        if any(self.plan.quotas[quota] < gang for quota in lot.quotas):
            return {(Constraint.QUOTA, *way): pools for way, pools in needs.items()}
        return needs

    def _needs_of(self, of: int) -> Needs:
        """What would have to give way beside quotas, for a gang of a shape."""
        shape, plan = self.problem.shapes[of], self.plan
        gang, draws = shape.gang, plan.draws[of]
        needs: Needs = {}
        for pool in shape.pools:
            here, nodes = self.problem.pools[pool], plan.nodes[pool]
            power = plan.power.get(here.site, draws[pool]) < draws[pool]
            for way in _ways(here, gang, nodes):
                needs.setdefault(_WITH_POWER[way] if power else way, []).append(pool)
        return needs

    def _alone(self, lot: Lot, constraint: Constraint, shown: list[int]) -> Finding | None:
        """The constraint, if it binds by itself; `shown` are the pools that show it."""
        if constraint is Constraint.POWER:
            return self._power(lot, shown)
        if shown or self._relaxations.gain(lot, constraint):
            return self._finding(lot, constraint, shown or list(self.problem.shapes[lot.shape].pools))
        return None

    def _power(self, lot: Lot, shown: list[int]) -> Finding | None:
        sites = {self.problem.pools[pool].site for pool in shown}
        if self._relaxations.left:
            others = [site for site in self.plan.power if site not in sites]
            sites.update(site for site in others if self._relaxations.gain(lot, Constraint.POWER, site))
        return self._finding(lot, Constraint.POWER, shown, tuple(sorted(sites))) if sites else None

    def _together(self, needs: Needs) -> Finding:
        fewest = min(needs, key=lambda some: (len(some), [ORDER.index(one) for one in some]))
        return self._where(fewest[0], needs[fewest], together_with=fewest[1:])

    def _finding(self, lot: Lot, constraint: Constraint, pools: list[int], sites: tuple[str, ...] = ()) -> Finding:
        return self._where(constraint, pools, sites, one_more=self._one_more(lot, constraint, pools, sites))

    def _where(
        self,
        constraint: Constraint,
        pools: list[int],
        sites: tuple[str, ...] = (),
        together_with: tuple[Constraint, ...] = (),
        one_more: OneMore | None = None,
    ) -> Finding:
        shown = () if constraint is Constraint.QUOTA else [self.problem.pools[pool] for pool in pools]
        return Finding(
            constraint=constraint,
            sites=sites or tuple(sorted({pool.site for pool in shown})),
            types=tuple(sorted({pool.type for pool in shown})),
            together_with=together_with,
            one_more=one_more,
        )

    def _one_more(self, lot: Lot, constraint: Constraint, pools: list[int], sites: tuple[str, ...]) -> OneMore | None:
        gang = self.problem.shapes[lot.shape].gang
        if constraint is Constraint.POWER:
            return OneMore(unit=Unit.MEGAWATT, serves=max(self._megawatt(site) for site in sites))
        if gang == 1 and constraint is not Constraint.WHOLE_NODES:
            return OneMore(unit=Unit.ACCELERATOR, serves=1)
        if constraint is Constraint.QUOTA:
            return None
        nodes = max(self.problem.pools[pool].per_node for pool in pools) // gang * gang
        return OneMore(unit=Unit.WHOLE_NODE, serves=nodes) if nodes else None

    @cached_property
    def _waiting(self) -> Mapping[str, Sequence[tuple[int, Sequence[int]]]]:
        """The lots that are not fully served, by the sites whose power binds where they could be, with their pools."""
        waiting: dict[str, list[tuple[int, Sequence[int]]]] = {}
        there: list[dict[str, list[int]]] = []
        for shape in self.problem.shapes:
            there.append({})
            for pool in shape.pools:
                site = self.problem.pools[pool].site
                if site in self.plan.power:
                    there[-1].setdefault(site, []).append(pool)
        for at, lot in enumerate(self.problem.lots):
            for site, pools in there[lot.shape].items() if self.plan.missing(at) else ():
                waiting.setdefault(site, []).append((at, pools))
        return waiting

    def _megawatt(self, site: str) -> int:
        """Accelerators, at least, that one more megawatt at a site would serve, of all that wait."""
        if site not in self._megawatts:
            plan = self.plan.with_power({site: MEGAWATT})
            self._megawatts[site] = plan.fill(self._waiting.get(site, ()))
        return self._megawatts[site]


_NOTHING: tuple[Constraint, ...] = ()
_NODES = (Constraint.WHOLE_NODES,)
_MORE = (Constraint.ACCELERATORS,)
_LARGER = (Constraint.WHOLE_NODES, Constraint.ACCELERATORS)
_FOUND = (Constraint.UNKNOWN_CAPACITY,)
_WITH_POWER = {
    way: tuple(one for one in ORDER if one is Constraint.POWER or one in way)
    for way in (_NOTHING, _NODES, _MORE, _LARGER, _FOUND)
}


def _ways(pool: Pool, gang: int, nodes: Nodes) -> Iterator[tuple[Constraint, ...]]:
    """What would have to give way on a pool beside power and quotas, in each way in which it could."""
    if nodes.largest >= gang:
        yield _NOTHING
        return
    fits = pool.per_node >= gang
    yield _MORE if fits else _LARGER
    if nodes.free >= gang:
        yield _NODES
    if fits and pool.unknown >= gang:
        yield _FOUND
