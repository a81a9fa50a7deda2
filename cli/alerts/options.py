"""Options that several commands share: which shortages, and from when on."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated

import typer

from cli.times import instant_said, length_said
from models.errors import ConfigurationError
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
    ago = length_said(text)
    instant = instant_said("--since", text, _EXPECTED) if ago is None else time.time_ns() // 1_000_000 - ago
    return max(0, instant)
