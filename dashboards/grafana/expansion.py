"""The cases that every query has to be right in: what is chosen, and how long the range is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.grafana.interpolation import Chosen, interpolated
from dashboards.grafana.macros import Screen, expanded
from dashboards.grafana.queries import Query

ODD_NAME = 'o\'hare "north" 100%'
"""A name that breaks whatever is not quoted."""
RANGES = {"1 h": timedelta(hours=1), "30 d": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which somebody looks at a dashboard.

    Args:
        name: For people.
        variables: What is chosen.
        length: Of the range.
        until: Where it ends.
    """

    name: str
    variables: Mapping[str, Chosen]
    length: timedelta
    until: datetime

    def sql(self, query: Query) -> str:
        """What the database sees.

        Raises:
            MacroError: Grafana would refuse it.
        """
        return expanded(interpolated(query.sql, self.variables), Screen.of(self.length, self.until, query.shortest))


def cases(sites: Sequence[str], nodes: Mapping[str, str], until: datetime) -> Iterator[Case]:
    """Of all sites, of the first, of an odd name and of none at all; each for a short and a long range.

    Args:
        sites: Those there are.
        nodes: Of each site one, where it has some.
        until: Where the ranges end.
    """
    first = sites[0] if sites else "nowhere"
    node = nodes.get(first, "n0")
    odd = next((site for site in sites if "'" in site), ODD_NAME)
    choices = {
        "all sites": (sites, node),
        "one site": ([first], node),
        "an odd name": ([odd], nodes.get(odd, ODD_NAME)),
        "nothing to choose": ([], ""),
    }
    for what, (chosen, one) in choices.items():
        variables = {"site": Chosen(chosen, several=True), "node": Chosen([one], several=False)}
        for range_, length in RANGES.items():
            yield Case(f"{what}, {range_}", variables, length, until)
