"""The ledger's records: everything that the fleet machine folds, in one total order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from models.clock import Clock
from models.demand import DemandEnded, DemandRevised
from models.facts import SiteFacts
from models.names import Event, Several
from models.numbers import Offset, Place, Tick
from models.sample import SiteSample
from models.tenant import TenantRevised


class Samples(Event):
    """What one telemetry partition's machine closed in one step.

    Steps of a partition follow on one another: each begins where the one before ended.
    """

    kind: Literal["samples"] = "samples"
    partition: Place
    """Of `fleet.telemetry.v1`."""
    partitions: Place
    """How many telemetry partitions there are."""
    after: Tick | None
    """Closed through this tick before; none at the first clock."""
    through: Tick
    """Closed through this tick now."""
    ticks: Several[Tick]
    """The ticks closed one by one; quiet stretches are skipped."""
    samples: Several[SiteSample]
    """Of the sites of the partition, for the ticks closed."""


class Source(Event):
    """Where an admitted record stood before."""

    topic: str
    """Without the prefix."""
    partition: Place
    """Of the topic."""
    offset: Offset
    """In the partition."""


class AdmittedClock(Clock):
    """The clock of the source's topic."""

    kind: Literal["clock"] = "clock"


class AdmittedFacts(SiteFacts):
    """Site facts."""

    kind: Literal["facts"] = "facts"


class AdmittedDemand(DemandRevised):
    """A demand as it stands."""

    kind: Literal["demand"] = "demand"


class AdmittedTenant(TenantRevised):
    """A tenant's quotas."""

    kind: Literal["tenant"] = "tenant"


class AdmittedEnd(DemandEnded):
    """A demand that is gone."""

    kind: Literal["end"] = "end"


class Admitted(Event):
    """A checked record of another topic, with its place there: repeats have the same one."""

    kind: Literal["admitted"] = "admitted"
    source: Source
    """Where it stood."""
    body: Annotated[
        AdmittedClock | AdmittedFacts | AdmittedDemand | AdmittedEnd | AdmittedTenant,
        Field(discriminator="kind"),
    ]
    """What it says."""


class Away(Event):
    """A telemetry partition has not been heard of: its sites are carried as unknown and not waited for."""

    kind: Literal["away"] = "away"
    partition: Place
    """Of `fleet.telemetry.v1`."""


class Back(Event):
    """The partition is heard again and waited for."""

    kind: Literal["back"] = "back"
    partition: Place
    """Of `fleet.telemetry.v1`."""


LedgerRecord = Annotated[Samples | Admitted | Away | Back, Field(discriminator="kind")]
LEDGER_RECORD: TypeAdapter[LedgerRecord] = TypeAdapter(LedgerRecord)
