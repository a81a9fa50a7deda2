"""Tenants: what each is entitled to and limited to. Sent whole; the newest by `at` stands."""

from __future__ import annotations

from typing import Self

from pydantic import AwareDatetime, model_validator

from models.demand import Amount
from models.names import Event, Name, Several


class Quota(Event):
    """A tenant's part of the accelerators of some types.

    A demand counts towards a quota if every type that it accepts is one of the quota's.
    """

    types: Several[Name] = ()
    """Empty means any, and every demand of the tenant counts."""
    deserved: Amount | None = None
    """What the tenant is entitled to; what it has beyond that is borrowed."""
    limit: Amount | None = None
    """What the tenant is never given more than."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.deserved is None and self.limit is None:
            raise ValueError("neither deserved nor limit is given")
        if self.deserved is not None and self.limit is not None and self.deserved > self.limit:
            raise ValueError(f"deserved {self.deserved} exceeds limit {self.limit}")
        if len(set(self.types)) < len(self.types):
            raise ValueError("a type is named twice")
        return self

    def counts(self, types: tuple[str, ...]) -> bool:
        """Whether a demand that accepts these types counts towards it."""
        return not self.types or (bool(types) and set(types) <= set(self.types))


class TenantRevised(Event):
    """A tenant's quotas as they stand from `at` on; none lifts them."""

    tenant: Name
    """The name that demands give; use it as the record's key."""
    at: AwareDatetime
    """From when this word counts; of several the newest stands."""
    quotas: Several[Quota] = ()
    """All of them; no two of the same types."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        types = [tuple(sorted(quota.types)) for quota in self.quotas]
        if len(set(types)) < len(types):
            raise ValueError("two quotas are of the same types")
        return self
