"""What the heads of snapshots hold beside arrays, checked as they are read: whoever uses it does not look again."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.instants import LAST
from models.names import Name
from models.sample import SiteSample
from models.shortage import Shortage

Tick = Annotated[int, Field(strict=True, ge=-LAST, le=2 * LAST)]
Shown = Annotated[int, Field(strict=True, ge=-62_135_596_800_000 - 86_400_000, lt=LAST + 2 * 86_400_000)]
"""An instant of a moment: from the year 1 to the end of 9999, in whatever time zone."""
Count = Annotated[int, Field(strict=True, ge=0, lt=2**60)]
NextOffset = Annotated[int, Field(strict=True, ge=0, le=2**63)]
"""After the last one that the ledger may name."""
Whole = Annotated[int, Field(strict=True, ge=0)]


class Head(BaseModel):
    """As it was written, and with nothing else in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NodesHead(Head):
    """Of the table of a site's nodes."""

    names: list[Name]
    racks: list[str]
    types: list[str]
    counts: tuple[Count, Count, Count]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for some in (self.names, self.racks, self.types):
            if len(set(some)) < len(some):
                raise ValueError("a name is there twice")
        return self


class SiteHead(Head):
    """Of one site."""

    site: Name
    first: Tick | None
    intake: tuple[Count, Count, Count]
    ticks: list[Tick]
    nodes: NodesHead


class TelemetryHead(Head):
    """Of the site machine."""

    rules: str
    catalogue: dict[str, str]
    clock: Tick | None
    closed: Tick | None
    partitions: Count
    sizes: list[Count]


class InputsHead(Head):
    """Of how far the inputs have come."""

    offsets: dict[str, NextOffset]
    clocks: dict[str, Tick]
    held: list[tuple[Tick, list[Any]]]


class BookHead(Head):
    """Of the demands and tenants."""

    demands: list[Any]
    ended: dict[str, Shown]
    tenants: list[Any]
    forgotten: Shown


class AmountHead(Head):
    """Of what an event spoke of as missing."""

    accelerators: Whole
    milli_h100e: Whole
    milliwatts: Whole


class EpisodeHead(Head):
    """Of one episode."""

    since: Shown
    gone_since: Shown | None
    told: Shortage | None
    told_missing: AmountHead
    untrue_since: dict[str, Shown]


class FleetHead(Head):
    """Of the fleet machine; what is `Any` is checked where it is used."""

    rules: str
    catalogue: dict[str, str]
    facts: list[Any]
    book: BookHead
    episodes: dict[str, EpisodeHead]
    inputs: InputsHead
    closed: Tick | None
    latest: list[SiteSample]
    ahead: list[tuple[Tick, list[SiteSample]]]
    partitions: Count | None
    through: list[tuple[Count, Tick]]
    away: list[Count]
    homes: dict[str, Count]

    @model_validator(mode="after")
    def _at_home(self) -> Self:
        sampled = {one.site for one in self.latest} | {one.site for _, samples in self.ahead for one in samples}
        if not sampled <= self.homes.keys():
            raise ValueError("a site without a partition")
        return self
