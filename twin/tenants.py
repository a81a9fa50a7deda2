"""Who has what, who waits within what it deserves, and who has borrowed: tenants, and the claims of all demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.demand import DemandRevised
from models.state import TenantState
from models.tenant import Quota
from twin.demand import Standing, pending
from twin.planner import Quotas


@dataclass(frozen=True, slots=True)
class Claims:
    """What is asked of the fleet at one tick; accelerators, but for the counts of demands."""

    demands: int = 0
    waiting: int = 0
    expired: int = 0
    wanted: int = 0
    granted: int = 0
    servable: int = 0
    overcommitted: int = 0
    tenants: tuple[TenantState, ...] = ()


@dataclass
class Claiming:
    """Works out claims, and keeps them while nothing they follow from has changed."""

    _from: tuple[Standing, Quotas, Mapping[str, int], Mapping[str, int]] | None = None
    _claims: Claims = Claims()

    def claims(
        self, standing: Standing, quotas: Quotas, servable: Mapping[str, int], there: Mapping[str, int]
    ) -> Claims:
        """The claims of what stands; `servable` is by demand, and `there` says how many accelerators there are by type.

        What is handed in must not change afterwards.
        """
        known = self._from
        if (
            known is None
            or known[0] is not standing
            or known[1] is not quotas
            or (known[2] is not servable and known[2] != servable)
            or known[3] != there
        ):
            self._from = (standing, quotas, servable, there)
            self._claims = Claims(
                demands=len(standing.demands),
                waiting=standing.waiting,
                expired=standing.expired,
                wanted=sum(demand.wanted for demand in standing.demands),
                granted=sum(demand.granted for demand in standing.demands),
                servable=sum(servable.get(demand.demand, 0) for demand in standing.demands),
                overcommitted=overcommitted(quotas, there),
                tenants=tenant_states(standing.demands, quotas, servable),
            )
        return self._claims


def tenant_states(
    demands: Iterable[DemandRevised], quotas: Quotas, servable: Mapping[str, int]
) -> tuple[TenantState, ...]:
    """The tenants that have quotas or a demand that stands, by name; `servable` is by demand.

    A demand may count towards several quotas, an accelerator of it is counted in one. The quota of the fewest types
    comes first and takes, among the demands that count towards it, first those that the fewest quotas may take; what
    it has no room for is left to the next. What is granted is counted before what is pending.
    """
    claims: dict[str, list[DemandRevised]] = {tenant: [] for tenant in quotas}
    for demand in demands:
        if demand.tenant is not None:
            claims.setdefault(demand.tenant, []).append(demand)
    return tuple(_state(tenant, claims[tenant], quotas.get(tenant, ()), servable) for tenant in sorted(claims))


def overcommitted(quotas: Quotas, there: Mapping[str, int]) -> int:
    """By how many accelerators all tenants together deserve more than there are, of the types where most are missing.

    Looked at for all types together, and for the types of each quota: what is deserved of nothing but these.
    """
    shares = [(frozenset(quota.types), quota.deserved) for some in quotas.values() for quota in some if quota.deserved]
    most = 0
    for types in {frozenset[str](), *(types for types, _ in shares)}:
        deserved = sum(share for of, share in shares if not types or (of and of <= types))
        most = max(most, deserved - sum(count for type_, count in there.items() if not types or type_ in types))
    return most


def _state(
    tenant: str, demands: Sequence[DemandRevised], quotas: Sequence[Quota], servable: Mapping[str, int]
) -> TenantState:
    granted, waits = sum(demand.granted for demand in demands), sum(pending(demand) for demand in demands)
    shares = [quota for quota in quotas if quota.deserved is not None]
    limits = [quota.limit for quota in quotas if quota.limit is not None]
    used = starved = None
    if shares:
        used, starved = _within(demands, shares)
    return TenantState(
        tenant=tenant,
        deserved=sum(quota.deserved or 0 for quota in shares) if shares else None,
        limit=sum(limits) if limits else None,
        wanted=granted + waits,
        granted=granted,
        pending=waits,
        used=used,
        starved=starved,
        borrowing=None if used is None else granted - used,
        servable=sum(servable.get(demand.demand, 0) for demand in demands),
    )


def _within(demands: Sequence[DemandRevised], quotas: Sequence[Quota]) -> tuple[int, int]:
    """How much of what is granted, and then of what is pending, the quotas have room for."""
    order = sorted(quotas, key=lambda quota: (not quota.types, len(quota.types), sorted(quota.types)))
    room = [quota.deserved or 0 for quota in order]
    takers = {types: [quota.counts(types) for quota in order] for types in {demand.types for demand in demands}}
    fewest = sorted(takers, key=lambda types: (sum(takers[types]), sorted(types), types))
    taken = []
    for amount in (lambda demand: demand.granted, pending):
        left = dict.fromkeys(fewest, 0)
        for demand in demands:
            left[demand.types] += amount(demand)
        for place in range(len(order)):
            for types in fewest:
                if takers[types][place]:
                    part = min(room[place], left[types])
                    room[place] -= part
                    left[types] -= part
        taken.append(sum(amount(demand) for demand in demands) - sum(left.values()))
    return taken[0], taken[1]
