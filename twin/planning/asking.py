"""From pending demand to lots: equal demands are planned as one, in gangs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.demand import DemandRevised, Workload
from twin.demand import pending
from twin.planner import Quotas

QuotaName = tuple[str, int]
"""A tenant, and the place of the quota among its own."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What equal demands ask for."""

    priority: int
    types: tuple[str, ...]
    sites: tuple[str, ...]
    workload: Workload | None
    gang: int
    quotas: tuple[QuotaName, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish and who has it."""

    wish: Wish
    gangs: int
    by: tuple[tuple[DemandRevised, int], ...]
    """Demands and the gangs of each, in the order of their ids."""


@dataclass(frozen=True, slots=True)
class Asking:
    """All that is pending."""

    asked: tuple[Asked, ...]
    """In the order of precedence: priority, then the id of the first demand."""
    rooms: Mapping[QuotaName, int]
    """Accelerators that each limit leaves."""


def asking(demands: Sequence[DemandRevised], quotas: Quotas) -> Asking:
    """What the demands ask for beyond what they are granted.

    A demand asks for as many whole gangs as it lacks, and for what remains as one smaller gang.
    """
    rooms = {
        (tenant, at): quota.limit
        for tenant in sorted(quotas)
        for at, quota in enumerate(quotas[tenant])
        if quota.limit is not None
    }
    wishes: dict[Wish, list[tuple[DemandRevised, int]]] = {}
    for demand in sorted(demands, key=lambda one: one.demand):
        tenant = demand.tenant or ""
        limits = tuple(
            (tenant, at)
            for at, quota in enumerate(quotas.get(tenant, ()))
            if quota.limit is not None and quota.counts(demand.types)
        )
        for name in limits:
            rooms[name] = max(rooms[name] - demand.granted, 0)
        gangs, rest = divmod(pending(demand), demand.gang)
        for gang, count in ((demand.gang, gangs), (rest, 1)):
            if gang and count:
                wish = Wish(
                    priority=demand.priority,
                    types=tuple(sorted(demand.types)),
                    sites=tuple(sorted(demand.sites)),
                    workload=demand.workload,
                    gang=gang,
                    quotas=limits,
                )
                wishes.setdefault(wish, []).append((demand, count))
    asked = [Asked(wish, sum(gangs for _, gangs in by), tuple(by)) for wish, by in wishes.items()]
    asked.sort(key=lambda one: (-one.wish.priority, one.by[0][0].demand, -one.wish.gang))
    return Asking(tuple(asked), rooms)
