"""What every contestant must come to: how many nodes each site has heard of by the end of a second, and their draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SECOND = 1000


@dataclass(frozen=True, slots=True)
class SiteSum:
    """The latest words of a site's nodes, added up."""

    nodes: int
    milliwatts: int


Sums = Mapping[tuple[str, int], SiteSum]
"""By site and end of the second, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A site and second of which a contestant says something else than we do; None where nothing is said."""

    contestant: str
    site: str
    tick: int
    ours: SiteSum | None
    theirs: SiteSum | None

    def __str__(self) -> str:
        ours, theirs = _said(self.ours), _said(self.theirs)
        return f"{self.contestant} differs: {self.site} at {self.tick} has {theirs}, ours has {ours}"


def first_difference(
    contestant: str, ours: Sums, theirs: Sums, sites: Iterable[str], ticks: range
) -> Difference | None:
    """The first of these sites and seconds that is not the same, or not there; whatever else is there is let be."""
    for tick in ticks:
        for site in sites:
            one, other = ours.get((site, tick)), theirs.get((site, tick))
            if one is None or one != other:
                return Difference(contestant, site, tick, one, other)
    return None


def _said(sum_: SiteSum | None) -> str:
    return "nothing" if sum_ is None else f"{sum_.nodes} nodes, {sum_.milliwatts} mW"
