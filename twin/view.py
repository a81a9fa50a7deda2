"""A site as the fleet machine sees it at a tick: its latest sample under its facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.facts import SiteFacts
from models.sample import Pool, SiteSample
from models.state import Presence

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class SiteView:
    """Milliwatts and parts per million throughout."""

    site: str
    presence: Presence
    sample: SiteSample | None
    facts: SiteFacts | None

    @property
    def pue(self) -> int | None:
        """Parts per million."""
        return None if self.facts is None else round(self.facts.pue * MILLION)

    @property
    def supply(self) -> int | None:
        """What the site may draw."""
        return None if self.facts is None else round(self.facts.supply_watts * 1000)

    @property
    def facility(self) -> int | None:
        """What the site draws, facility and all; unknown where no facts are known, or every node is lost."""
        if self.pue is None or (self.sample and not self.sample.nodes.reporting + self.sample.nodes.stale):
            return None
        return self.sample.power.total * self.pue // MILLION if self.sample else 0

    @property
    def pools(self) -> Mapping[str, Pool]:
        """The pools that can be relied on: none of a site that is away."""
        if self.sample is None or self.presence is not Presence.PRESENT:
            return {}
        return {pool.type: pool for pool in self.sample.pools}

    @property
    def seen(self) -> Mapping[str, Pool]:
        """The pools as they were last known."""
        return {pool.type: pool for pool in self.sample.pools} if self.sample else {}

    def expected(self) -> Mapping[str, int]:
        """Accelerators that the facts speak of, by type."""
        totals: dict[str, int] = {}
        for entry in self.facts.expected if self.facts else ():
            totals[entry.type] = totals.get(entry.type, 0) + entry.accelerators
        return totals

    def there(self) -> Mapping[str, int]:
        """Accelerators that were seen or are expected, whichever is more, by type."""
        seen, expected = self.seen, self.expected()
        known = {type_: pool.installed + pool.lost for type_, pool in seen.items()}
        return {type_: max(known.get(type_, 0), expected.get(type_, 0)) for type_ in known.keys() | expected.keys()}

    def unexpected(self) -> int:
        """Accelerators that were seen beyond what the facts speak of; none where they speak of none."""
        expected = self.expected()
        there = self.there() if expected else {}
        return sum(count - expected.get(type_, 0) for type_, count in there.items())

    def unknown(self) -> Mapping[str, int]:
        """Accelerators of which nothing is known now: lost, away, or expected and never seen; by type."""
        seen, expected = self.seen, self.expected()
        unknown = {}
        for type_ in sorted(seen.keys() | expected.keys()):
            pool = seen.get(type_)
            known = pool.installed + pool.lost if pool else 0
            missing = max(expected.get(type_, 0) - known, 0)
            dark = 0 if pool is None else pool.lost if self.presence is Presence.PRESENT else known
            unknown[type_] = missing + dark
        return unknown
