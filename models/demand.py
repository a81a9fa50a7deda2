"""Demand: what a project asks for, and how much of it was granted. Sent whole; the newest by `at` stands."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from models.names import Event, Name, Several

Amount = Annotated[int, Field(ge=0, le=100_000_000)]


class Purpose(StrEnum):
    """What kind of project asks."""

    RESEARCH = "research"
    APPLIED = "applied"


class Workload(StrEnum):
    """What the accelerators will do: it decides what they draw."""

    TRAINING = "training"
    INFERENCE = "inference"
    LATENCY_BOUND = "latency_bound"
    """Inference that answers people: seldom fully busy."""


class DemandRevised(Event):
    """A demand as it stands from `at` on."""

    demand: Name
    """Its name, by which later words of it are known; use it as the record's key."""
    project: Name
    """Who asks; shortages are told by project."""
    tenant: Name | None = None
    """Whose quotas count; unset: nobody's."""
    purpose: Purpose | None = None
    """For people; it decides nothing."""
    workload: Workload | None = None
    """Unset: counted as training, which draws most."""
    at: AwareDatetime
    """From when this word counts; of several the newest stands."""
    wanted: Amount
    """Accelerators asked for, those granted included."""
    granted: Amount = 0
    """Of these, how many it has."""
    types: Several[Name] = ()
    """Acceptable accelerator types; empty means any."""
    sites: Several[Name] = ()
    """Allowed sites; empty means any."""
    gang: Annotated[int, Field(ge=1, le=1024)] = 1
    """Accelerators that must be free together on one node; the last gang may be smaller."""
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    """The higher is served first."""
    starts_at: AwareDatetime | None = None
    """It waits until then; unset: it stands at once."""
    ends_at: AwareDatetime | None = None
    """It counts no more from then on; unset: until it is ended."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.granted > self.wanted:
            raise ValueError(f"granted {self.granted} exceeds wanted {self.wanted}")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError(f"ends_at {self.ends_at} is not after starts_at {self.starts_at}")
        if len(set(self.types)) < len(self.types) or len(set(self.sites)) < len(self.sites):
            raise ValueError("a type or a site is named twice")
        return self


class DemandEnded(Event):
    """The demand is gone from `at` on."""

    demand: Name
    """The name with which it was asked for."""
    at: AwareDatetime
    """From when it is gone."""
