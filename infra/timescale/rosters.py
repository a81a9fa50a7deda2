"""Which nodes are in the newest frame of each site, as far as this writer has written it alone.

Nearly always a frame has the nodes of the one before it; then nobody need ask the database who is no longer in it.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.node_frame import NodeFrame

Names = list[Any]
"""Arrow arrays of nodes, one for each part of a frame."""

Written = Mapping[str, Mapping[int, Names]]
"""By site and tick, in milliseconds."""


@dataclass
class Rosters:
    """Of one writer; `writer` is what it is called in `site_newest_frame`."""

    writer: str = field(default_factory=lambda: secrets.token_hex(8))
    _newest: dict[str, tuple[int, Names]] = field(default_factory=dict)

    def of(self, site: str, tick: int) -> Names | None:
        """The nodes that this writer has put into the frame; none where that is not its newest."""
        known = self._newest.get(site)
        return known[1] if known is not None and known[0] == tick else None

    def remember(self, written: Written) -> None:
        """Note frames that are safely written."""
        for site, ticks in written.items():
            newest = max(ticks)
            known = self._newest.get(site)
            if known is None or known[0] < newest:
                self._newest[site] = (newest, ticks[newest])
            elif known[0] == newest:
                self._newest[site] = (newest, [*known[1], *ticks[newest]])


def rosters_of(frames: Iterable[NodeFrame]) -> Written:
    """Who is in these frames."""
    found: defaultdict[str, defaultdict[int, Names]] = defaultdict(lambda: defaultdict(list))
    for frame in frames:
        found[frame.site][frame.tick].append(frame.batch.column("node"))
    return found


def missing(before: Names, after: Names) -> set[str]:
    """Who is in the former and not in the latter."""
    if len(before) == len(after) and all(one.equals(other) for one, other in zip(before, after, strict=True)):
        return set()
    return {node for names in before for node in names.to_pylist()} - {
        node for names in after for node in names.to_pylist()
    }
