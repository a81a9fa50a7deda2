"""Which shortage events a consumer is told: each once, of the episodes that it wants."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.shortage import ScopeKind, Severity, Shortage, Status

_LEVELS = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a consumer wants; whatever is not said is any."""

    scope: ScopeKind | None = None
    name: str | None = None
    """Of the site or project."""
    severity: Severity = Severity.INFO
    """At least so severe."""
    resource: str | None = None

    def takes(self, event: Shortage) -> bool:
        """Whether the event, taken by itself, is wanted."""
        return (
            self.scope in (None, event.scope.kind)
            and self.name in (None, event.scope.name)
            and self.resource in (None, event.resource.kind)
            and _LEVELS.index(event.severity) >= _LEVELS.index(self.severity)
        )


@dataclass(frozen=True, slots=True)
class Told:
    """An event to tell."""

    event: Shortage
    before: Shortage | None
    """What was told of the episode last; none where this is the first."""


@dataclass
class Telling:
    """What has been told so far.

    An episode is told from its first event that is wanted to its end: one that grows into the wanted severity from
    then on, and once it has been told also how it eases and resolves, whatever its severity is by then. An event that
    comes again, as after a worker's crash, is told once.
    """

    wanted: Wanted = field(default_factory=Wanted)
    open: dict[str, Shortage] = field(default_factory=dict)
    """The newest event of each episode that was told and goes on."""
    _newest: dict[str, int] = field(default_factory=dict)

    def take(self, event: Shortage) -> Told | None:
        """Take the next event in; it is given back where it is to be told."""
        if event.sequence <= self._newest.get(event.id, -1):
            return None
        self._newest[event.id] = event.sequence
        before = self.open.get(event.id)
        if before is None and not self.wanted.takes(event):
            return None
        if event.status is Status.OPEN:
            self.open[event.id] = event
        else:
            self.open.pop(event.id, None)
        return Told(event, before)
