"""From the views of sites to pools and headroom: what there is to plan with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.catalogue import Catalogue
from twin.planning.problem import Pool
from twin.view import MILLION, SiteView


@dataclass(frozen=True, slots=True)
class Supply:
    """What is there for work, by site and type, sorted; milliwatts and parts per million."""

    pools: tuple[Pool, ...]
    headroom: tuple[tuple[str, int], ...]
    """Of the sites whose supply and draw are known; below zero where a site draws more than it may."""
    pue: tuple[tuple[str, int], ...]


def supply(sites: Sequence[SiteView], catalogue: Catalogue) -> Supply:
    """What the sites offer."""
    views = sorted(sites, key=lambda view: view.site)
    return Supply(
        pools=tuple(pool for view in views for pool in _pools(view, catalogue)),
        headroom=tuple(
            (view.site, view.supply - facility)
            for view in views
            if view.supply is not None and (facility := view.facility) is not None
        ),
        pue=tuple((view.site, view.pue or MILLION) for view in views),
    )


def _pools(view: SiteView, catalogue: Catalogue) -> Iterator[Pool]:
    known, unknown = view.pools, view.unknown()
    for type_ in sorted(known.keys() | unknown.keys()):
        here = known.get(type_)
        yield Pool(
            site=view.site,
            type=type_,
            free_per_node=here.free_per_node if here and here.free else (),
            unknown=unknown.get(type_, 0) + (here.allocation_unknown if here else 0),
            per_node=catalogue[type_].per_node,
        )
