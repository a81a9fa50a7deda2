"""What a meter that is no node's measures, such as a rack's power distribution unit."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from models.names import Name, Published
from models.reading import Watts
from models.words import GrowingWords


class MeterLevel(GrowingWords):
    """Where in the distribution of power a meter sits."""

    CHASSIS = "chassis"
    """Of one enclosure."""
    OUTLET = "outlet"
    """Of one outlet of a power distribution unit."""
    BRANCH = "branch"
    """Of one of its branches."""
    PHASE = "phase"
    """Of one of its phases."""
    PDU = "pdu"
    """Of the whole unit."""


class MeterReading(Published):
    """One meter at one instant. The same watts pass meters of several levels: never add across levels."""

    site: Name
    """Where the meter is; the record's key is the same."""
    meter: Name
    """Its name, unique within the site."""
    rack: Name | None = None
    """Where it stands, if that is known."""
    level: MeterLevel
    """Where it sits; sums are right within one level alone."""
    at: AwareDatetime
    """When it was measured."""
    power_watts: Watts | None = None
    """What passes it now."""
    energy_joules: Annotated[float, Field(ge=0)] | None = None
    """What has passed it since some beginning of its own."""
