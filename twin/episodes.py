"""Episodes: a shortfall that lasts becomes a shortage, and one that stays away resolves. No flapping in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from models.instants import moment_of
from models.shortage import Change, Quantity, Severity, Shortage, Status
from twin.planner import Amount, Shortfall
from twin.rules import Rules

CRITICAL_SHARE = 500_000
WARNING_SHARE = 100_000
"""Missing of demanded, in parts per million, from which a shortage is critical, or a warning."""

MATERIAL_SHARE = 100_000
"""A change of what is missing by less of it than this is not told."""


@dataclass
class Episode:
    """A shortfall since it was first seen; `told` is its last event, none while it has not lasted long enough."""

    since: int
    gone_since: int | None = None
    told: Shortage | None = None
    told_missing: tuple[int, int] = (0, 0)
    """Accelerators and milliwatts that the last event spoke of."""


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
            if tick - episode.since >= self.rules.open_after:
                yield self._tell(key, episode, tick, shortfall, Change.OPENED)
        elif _material(episode, shortfall):
            yield self._tell(key, episode, tick, shortfall, Change.UPDATED)

    def _absent(self, key: str, tick: int) -> Iterator[Shortage]:
        episode = self.running[key]
        if episode.told is None:
            del self.running[key]
            return
        if episode.gone_since is None:
            episode.gone_since = tick
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
        episode.told_missing = (missing.accelerators, missing.milliwatts)
        episode.told = Shortage(
            id=_id(key, episode.since),
            sequence=0 if episode.told is None else episode.told.sequence + 1,
            change=change,
            status=Status.OPEN,
            severity=_severity(shortfall),
            scope=shortfall.scope,
            resource=shortfall.resource,
            demanded=_quantity(demanded),
            served=_quantity(_less(demanded, missing)),
            missing=_quantity(missing),
            binding=shortfall.binding,
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

    def restore(self, head: dict[str, Any]) -> None:
        """Become what `head` was taken from."""
        self.running = {
            key: Episode(
                since=one["since"],
                gone_since=one["gone_since"],
                told=None if one["told"] is None else Shortage.model_validate(one["told"]),
                told_missing=(one["told_missing"][0], one["told_missing"][1]),
            )
            for key, one in head.items()
        }


def _key(shortfall: Shortfall) -> str:
    scope, resource = shortfall.scope, shortfall.resource.model_dump(mode="json")
    return orjson.dumps([scope.kind, scope.name, resource]).decode()


def _id(key: str, since: int) -> str:
    return hashlib.sha256(f"{key}@{since}".encode()).hexdigest()[:16]


def _share(shortfall: Shortfall) -> int:
    for missing, demanded in (
        (shortfall.missing.accelerators, shortfall.demanded.accelerators),
        (shortfall.missing.milliwatts, shortfall.demanded.milliwatts),
    ):
        if demanded:
            return missing * 1_000_000 // demanded
    return 0


def _severity(shortfall: Shortfall) -> Severity:
    share = _share(shortfall)
    if share >= CRITICAL_SHARE:
        return Severity.CRITICAL
    return Severity.WARNING if share >= WARNING_SHARE else Severity.INFO


def _material(episode: Episode, shortfall: Shortfall) -> bool:
    told = episode.told
    now = (shortfall.missing.accelerators, shortfall.missing.milliwatts)
    moved = any(
        abs(new - old) * 1_000_000 >= max(old, 1) * MATERIAL_SHARE and new != old
        for new, old in zip(now, episode.told_missing, strict=True)
    )
    return told is None or moved or told.severity != _severity(shortfall) or told.projects != shortfall.projects


def _less(amount: Amount, by: Amount) -> Amount:
    return Amount(
        amount.accelerators - by.accelerators,
        max(amount.milli_h100e - by.milli_h100e, 0),
        amount.milliwatts - by.milliwatts,
    )


def _quantity(amount: Amount) -> Quantity:
    return Quantity(accelerators=amount.accelerators, h100e=amount.milli_h100e / 1000, watts=amount.milliwatts / 1000)
