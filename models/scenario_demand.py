"""What projects ask for in a scenario, and what their tenants are entitled to, over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from models.catalogue import Catalogue
from models.demand import Amount, Purpose, Workload
from models.names import Event, Name
from models.scenario_checks import Contradiction, disordered, repeated, unknown

Seconds = Annotated[float, Field(ge=0, le=1e9)]


class Revision(Event):
    """The demand as it stands from `at` on."""

    at: Seconds
    wanted: Amount
    granted: Amount = 0
    ends_at: Seconds | None = None


class End(Event):
    """The demand is gone from `at` on."""

    at: Seconds
    ended: Literal[True]


def _demand_entry(entry: Any) -> str:
    fields = entry if isinstance(entry, dict) else getattr(entry, "__dict__", {})
    return "end" if "ended" in fields else "revision"


DemandEntry = Annotated[Annotated[Revision, Tag("revision")] | Annotated[End, Tag("end")], Discriminator(_demand_entry)]


class Demand(Event):
    """What a project asks for, over time."""

    demand: Name
    project: Name
    tenant: Name | None = None
    purpose: Purpose | None = None
    workload: Workload | None = None
    types: tuple[Name, ...] = ()
    sites: tuple[Name, ...] = ()
    gang: Annotated[int, Field(ge=1, le=1024)] = 1
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    timeline: tuple[DemandEntry, ...] = Field(min_length=1)

    def contradictions(
        self, at: str, catalogue: Catalogue, sites: Sequence[str], tenants: Sequence[str], period: float | None
    ) -> Iterator[Contradiction]:
        """What no field of it can know to be wrong; `at` is its path. Where no tenants are listed it may name any."""
        yield from unknown(f"{at}.sites", "", self.sites, sites)
        yield from unknown(f"{at}.types", "", self.types, catalogue.ids)
        yield from repeated(f"{at}.sites", "", self.sites)
        yield from repeated(f"{at}.types", "", self.types)
        if self.tenant is not None and tenants and self.tenant not in tenants:
            yield f"{at}.tenant", self.tenant, f"one of {', '.join(tenants)}"
        yield from disordered(f"{at}.timeline", [entry.at for entry in self.timeline], period)
        for i, entry in enumerate(self.timeline):
            if isinstance(entry, End):
                continue
            if entry.granted > entry.wanted:
                yield f"{at}.timeline.{i}.granted", entry.granted, f"at most wanted, {entry.wanted}"
            if entry.ends_at is not None and entry.ends_at <= entry.at:
                yield f"{at}.timeline.{i}.ends_at", entry.ends_at, f"later than at, {entry.at}"


class Share(Event):
    """A tenant's quota (`models.tenant.Quota`), before it is known to make sense."""

    types: tuple[Name, ...] = ()
    deserved: Amount | None = None
    limit: Amount | None = None

    def contradictions(self, at: str, catalogue: Catalogue) -> Iterator[Contradiction]:
        """What no field of it can know to be wrong; `at` is its path."""
        yield from unknown(f"{at}.types", "", self.types, catalogue.ids)
        yield from repeated(f"{at}.types", "", self.types)
        if self.limit is None and self.deserved is None:
            yield f"{at}.deserved", None, "a number, or one for limit"
        if self.limit is not None and self.deserved is not None and self.deserved > self.limit:
            yield f"{at}.deserved", self.deserved, f"at most limit, {self.limit}"


class TenantRevision(Event):
    """The tenant's quotas as they stand from `at` on; none lifts them."""

    at: Annotated[float, Field(gt=0, le=1e9)]
    quotas: tuple[Share, ...]


class Tenant(Event):
    """What a tenant is entitled to: its quotas at the start, and what becomes of them."""

    tenant: Name
    quotas: tuple[Share, ...] = ()
    timeline: tuple[TenantRevision, ...] = ()

    def contradictions(self, at: str, catalogue: Catalogue, period: float | None) -> Iterator[Contradiction]:
        """What no field of it can know to be wrong; `at` is its path."""
        yield from _quota_contradictions(f"{at}.quotas", self.quotas, catalogue)
        yield from disordered(f"{at}.timeline", [entry.at for entry in self.timeline], period)
        for i, entry in enumerate(self.timeline):
            yield from _quota_contradictions(f"{at}.timeline.{i}.quotas", entry.quotas, catalogue)


def _quota_contradictions(at: str, quotas: Sequence[Share], catalogue: Catalogue) -> Iterator[Contradiction]:
    for i, share in enumerate(quotas):
        yield from share.contradictions(f"{at}.{i}", catalogue)
        if set(share.types) in [set(before.types) for before in quotas[:i]]:
            yield f"{at}.{i}.types", share.types, "other types than those of a quota above it"
