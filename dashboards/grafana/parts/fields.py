"""How values are shown, and exceptions for single series: the supply as a dashed line, a state in its colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import (
    DashboardFieldConfigSourceOverrides as Override,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLink,
    DynamicConfigValue,
    FieldColor,
    FieldConfig,
    MatcherConfig,
    ThresholdsConfig,
    ValueMap,
)

from dashboards.grafana.parts import colours

__all__ = ["Look", "Override", "coloured", "drawn_as", "limit_line", "limit_lines_of", "override"]


@dataclass(frozen=True, slots=True)
class Look:
    """How the values of a panel are shown, where that is not as usual.

    Args:
        thresholds: Colours by value; lines across, where values are drawn over time.
        decimals: Of figures; as many as fit, where it is not said.
        least: Where the axis or bar begins.
        most: Where it ends, where that is known.
        display_name: How series are called, such as `${__field.labels.site}`.
        mappings: Words for values.
        links: From a value.
        overrides: For single series.
        no_value: In the place of nothing.
    """

    thresholds: ThresholdsConfig | None = None
    decimals: int | None = None
    least: float | None = 0
    most: float | None = None
    display_name: str | None = None
    mappings: Sequence[ValueMap] = ()
    links: Sequence[DashboardLink] = ()
    overrides: Sequence[Override] = ()
    no_value: str | None = None

    def defaults(self, unit: str, colour: FieldColor | None, custom: object = None) -> FieldConfig:
        """As the SDK has it."""
        return FieldConfig(
            unit=unit,
            decimals=self.decimals,
            min_val=self.least,
            max_val=self.most,
            display_name=self.display_name,
            thresholds=self.thresholds or colours.quiet(),
            mappings=list(self.mappings) or None,
            links=list(self.links) or None,
            no_value=self.no_value,
            color=colour,
            custom=custom,
        )


def override(matcher: str, what: str, **properties: object) -> Override:
    """What differs for the fields that match; a double underscore in a property's name stands for a dot.

    Args:
        matcher: Grafana's name of it: `byName`, `byRegexp`, `byFrameRefID`.
        what: The name, pattern or query.
        properties: As Grafana names them.
    """
    return Override(
        matcher=MatcherConfig(id_val=matcher, options=what),
        properties=[
            DynamicConfigValue(id_val=name.replace("__", "."), value=value) for name, value in properties.items()
        ],
    )


def limit_line(name: str, colour: str = colours.LIMIT) -> Override:
    """The series is what others are held against: a dashed line without a fill, outside of a stack."""
    return _limit("byName", name, color=colours.fixed(colour))


def limit_lines_of(query: str, display_name: str) -> Override:
    """All series of a query are what cannot be exceeded."""
    return _limit("byFrameRefID", query, displayName=display_name, color=colours.fixed(colours.LIMIT))


def coloured(colours_by_name: Mapping[str, str]) -> list[Override]:
    """Series that have a colour by what they mean."""
    return [override("byName", name, color=colours.fixed(colour)) for name, colour in colours_by_name.items()]


def drawn_as(query: str, display_name: str) -> Override:
    """How the series of a query are called."""
    return override("byFrameRefID", query, displayName=display_name)


def _limit(matcher: str, what: str, **also: object) -> Override:
    return override(
        matcher,
        what,
        **also,
        custom__lineStyle={"fill": "dash", "dash": [10, 10]},
        custom__lineWidth=2,
        custom__fillOpacity=0,
        custom__stacking={"mode": "none", "group": "B"},
    )
