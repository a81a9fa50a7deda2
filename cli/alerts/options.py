"""Options that several commands share: which shortages, and from when on."""

from __future__ import annotations

import re
import time
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from models.errors import ConfigurationError
from models.instants import instant_of
from models.shortage import ScopeKind, Severity
from streams.consumers.choosing import Wanted


class ResourceKind(StrEnum):
    """What can be short."""

    ACCELERATORS = "accelerators"
    POWER = "power"
    VISIBILITY = "visibility"
    UNPLACED = "unplaced"


ScopeOption = Annotated[ScopeKind | None, typer.Option("--scope", help="Only who is short at this level.")]
NameOption = Annotated[str | None, typer.Option("--name", help="Only the site or project of this name.")]
SeverityOption = Annotated[
    Severity,
    typer.Option("--severity", help="Only episodes that have been at least so severe, from then until they resolve."),
]
ResourceOption = Annotated[ResourceKind | None, typer.Option("--resource", help="Only where this is short.")]

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_EXPECTED = "a time such as 2026-01-01T00:00:00Z, or how long ago: 90s, 15m, 2h, 3d"


def wanted_of(scope: ScopeKind | None, name: str | None, severity: Severity, resource: ResourceKind | None) -> Wanted:
    """What the options ask for.

    Raises:
        ConfigurationError: a name together with the fleet, which has none.
    """
    if name is not None and scope is ScopeKind.FLEET:
        raise ConfigurationError("--name", name, "no name with --scope fleet")
    return Wanted(scope, name, severity, None if resource is None else resource.value)


def instant_of_option(text: str) -> int:
    """The instant that `--since` says.

    Raises:
        ConfigurationError: it is neither a time nor how long ago.
    """
    ago = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if ago is not None:
        return max(0, time.time_ns() // 1_000_000 - int(ago[1]) * _UNITS[ago[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("--since", text, _EXPECTED) from None
    if moment.tzinfo is None:
        raise ConfigurationError("--since", text, "an offset from UTC, such as the Z in 2026-01-01T00:00:00Z")
    return max(0, instant_of(moment))
