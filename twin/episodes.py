"""Episodes: a shortfall that lasts becomes a shortage, and one that stays away resolves. No flapping in between.

An episode is a scope and a resource: whatever comes to bind it, it stays the same. What is told of it while it is open
is what is material:

- what got worse, at once: a higher severity, be it by age alone, or a tenth more missing than was last told; more that
  could be had and is not granted only once it has lasted `unplaced_after`, for a scheduler has so long;
- what was told and is no longer so, once that has lasted `open_after` at a stretch: a tenth less is missing, or less in
  one measure and more in another; the severity is lower; the projects are others; another constraint binds, or at
  other sites, or other constraints bind beside it.

So what goes back and forth is told at its worst and then no more, and what was told is not wrong for longer than
`open_after`. Words, what waits behind a constraint and what one more unit would serve are brought along, never a cause.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from models.instants import instant_of, moment_of
from models.shortage import Binding, Change, Constraint, Quantity, Shortage, Status, Unplaced
from twin.heads import EpisodeHead
from twin.planner import Amount, Shortfall
from twin.rules import Rules
from twin.severity import severity_of, worse

MATERIAL_SHARE = 100_000
"""A change of what is missing by less of it than this, in parts per million, is not told."""


@dataclass
class Episode:
    """A shortfall since it was first seen; `told` is its last event, none while it has not lasted long enough."""

    since: int
    gone_since: int | None = None
    told: Shortage | None = None
    told_missing: Amount = field(default_factory=Amount)
    """What the last event spoke of."""
    untrue_since: dict[str, int] = field(default_factory=dict)
    """From which tick on each part of the last event has no longer been so, without a break."""


@dataclass
class Episodes:
    """The episodes under way, by scope and resource."""

    rules: Rules
    running: dict[str, Episode] = field(default_factory=dict)

    @property
    def open_shortages(self) -> list[Shortage]:
        """The last event of each that is open, in canonical order."""
        return [episode.told for key in sorted(self.running) if (episode := self.running[key]).told is not None]

    def advance(self, tick: int, shortfalls: Iterable[Shortfall]) -> list[Shortage]:
        """The events of a tick, in canonical order."""
        present = {_key(shortfall): shortfall for shortfall in shortfalls}
        events: list[Shortage] = []
        for key in sorted(present.keys() | self.running.keys()):
            shortfall = present.get(key)
            events += self._absent(key, tick) if shortfall is None else self._present(key, tick, shortfall)
        return events

    def _present(self, key: str, tick: int, shortfall: Shortfall) -> Iterator[Shortage]:
        episode = self.running.setdefault(key, Episode(since=tick))
        episode.gone_since = None
        if episode.told is None:
            if tick - episode.since >= self._open_after(shortfall):
                yield self._tell(key, episode, tick, shortfall, Change.OPENED)
        elif self._material(episode, episode.told, tick, shortfall):
            yield self._tell(key, episode, tick, shortfall, Change.UPDATED)

    def _open_after(self, shortfall: Shortfall) -> int:
        unplaced = isinstance(shortfall.resource, Unplaced)
        return self.rules.unplaced_after if unplaced else self.rules.open_after

    def _material(self, episode: Episode, told: Shortage, tick: int, shortfall: Shortfall) -> bool:
        severity = severity_of(shortfall, tick - episode.since, self.rules)
        higher, lower = worse(severity, than=told.severity), worse(told.severity, than=severity)
        more, less = _moved(episode.told_missing, shortfall.missing)
        grown = higher or (more and not less and not lower)
        waits = isinstance(shortfall.resource, Unplaced)
        untrue = {
            "grown": grown and waits,
            "amount": less,
            "severity": lower,
            "projects": told.projects != shortfall.projects,
            "binding": _bound_by(told.binding, told.also) != _bound_by(shortfall.binding, shortfall.also),
        }
        episode.untrue_since = {part: episode.untrue_since.get(part, tick) for part in untrue if untrue[part]}
        lasted = any(
            tick - since >= (self.rules.unplaced_after if part == "grown" else self.rules.open_after)
            for part, since in episode.untrue_since.items()
        )
        aged = instant_of(told.at) - episode.since < self.rules.escalate_after <= tick - episode.since
        return lasted or (grown and not waits) or (higher and aged)

    def _absent(self, key: str, tick: int) -> Iterator[Shortage]:
        episode = self.running[key]
        if episode.told is None:
            del self.running[key]
            return
        if episode.gone_since is None:
            episode.gone_since = tick
            episode.untrue_since = {}
        if tick - episode.gone_since >= self.rules.resolve_after:
            del self.running[key]
            yield episode.told.model_copy(
                update={
                    "sequence": episode.told.sequence + 1,
                    "change": Change.RESOLVED,
                    "status": Status.RESOLVED,
                    "at": moment_of(tick),
                    "resolved_at": moment_of(episode.gone_since),
                }
            )

    def _tell(self, key: str, episode: Episode, tick: int, shortfall: Shortfall, change: Change) -> Shortage:
        missing, demanded = shortfall.missing, shortfall.demanded
        episode.told_missing, episode.untrue_since = missing, {}
        episode.told = Shortage(
            id=_id(key, episode.since),
            sequence=0 if episode.told is None else episode.told.sequence + 1,
            change=change,
            status=Status.OPEN,
            severity=severity_of(shortfall, tick - episode.since, self.rules),
            scope=shortfall.scope,
            resource=shortfall.resource,
            demanded=_quantity(demanded),
            served=_quantity(_less(demanded, missing)),
            missing=_quantity(missing),
            binding=shortfall.binding,
            also=shortfall.also,
            since=moment_of(episode.since),
            at=moment_of(tick),
            projects=shortfall.projects,
        )
        return episode.told

    def head(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {
            key: {
                **asdict(episode),
                "told": None if episode.told is None else episode.told.model_dump(mode="json"),
            }
            for key, episode in sorted(self.running.items())
        }

    def restore(self, head: Mapping[str, EpisodeHead]) -> None:
        """Become what `head` was taken from."""
        self.running = {
            key: Episode(
                since=one.since,
                gone_since=one.gone_since,
                told=one.told,
                told_missing=Amount(**one.told_missing.model_dump()),
                untrue_since=dict(one.untrue_since),
            )
            for key, one in head.items()
        }


def _key(shortfall: Shortfall) -> str:
    scope, resource = shortfall.scope, shortfall.resource.model_dump(mode="json")
    return orjson.dumps([scope.kind, scope.name, resource]).decode()


def _id(key: str, since: int) -> str:
    return hashlib.sha256(f"{key}@{since}".encode()).hexdigest()[:16]


def _moved(told: Amount, now: Amount) -> tuple[bool, bool]:
    """Whether materially more is missing in some measure, and whether materially less is."""
    pairs = (
        (told.accelerators, now.accelerators),
        (told.milli_h100e, now.milli_h100e),
        (told.milliwatts, now.milliwatts),
    )
    moves = [new - old for old, new in pairs if abs(new - old) * 1_000_000 >= max(old, 1) * MATERIAL_SHARE]
    return any(move > 0 for move in moves), any(move < 0 for move in moves)


def _bound_by(binding: Binding, also: Iterable[Binding]) -> tuple[Constraint, frozenset[str], frozenset[Constraint]]:
    """What is material of what binds."""
    return binding.constraint, frozenset(binding.sites), frozenset(other.constraint for other in also)


def _less(amount: Amount, by: Amount) -> Amount:
    return Amount(
        amount.accelerators - by.accelerators,
        max(amount.milli_h100e - by.milli_h100e, 0),
        amount.milliwatts - by.milliwatts,
    )


def _quantity(amount: Amount) -> Quantity:
    return Quantity(accelerators=amount.accelerators, h100e=amount.milli_h100e / 1000, watts=amount.milliwatts / 1000)
