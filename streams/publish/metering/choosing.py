"""Which of a service's meters is the node's: what it says itself if that is clear, else what the user says."""

from __future__ import annotations

from models.errors import ConfigurationError
from streams.publish.measures import MeterLevel
from streams.publish.metering.resources import Metered
from streams.publish.metering.walking import Found

NO_METER = "none of its chassis meters power"


def node_meter(found: Found, said: str | None, setting: str) -> Metered | None:
    """The node's; none where no chassis meters power. A chassis may contain others, so several are never added.

    Args:
        found: What the service meters.
        said: By the user: the path of a chassis, or of one of its meters.
        setting: Where it is said, for messages.

    Raises:
        ConfigurationError: there is no such, or several could be it; names them.
    """
    chassis = [meter for meter in found.meters if meter.level is MeterLevel.CHASSIS]
    if said is not None:
        fitting = [meter for meter in chassis if said.rstrip("/") in (meter.id, meter.owner)]
    else:
        fitting = [meter for meter in chassis if meter.owner in found.systems] or chassis
    if len(fitting) == 1:
        return fitting[0]
    if not chassis:
        return None
    raise ConfigurationError(setting, said, f"one of {', '.join(meter.id for meter in fitting or chassis)}")
