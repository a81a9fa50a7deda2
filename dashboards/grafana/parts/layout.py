"""Where panels are: rows of the grid, from the top down; nobody writes a coordinate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import GridPos, Panel, RowPanel

WIDTH = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Band:
    """Panels beside each other. Without widths they share the row as evenly as it goes."""

    height: int
    panels: Sequence[Panel]
    widths: Sequence[int] = ()

    def __post_init__(self) -> None:
        """A band fills the row exactly."""
        if sum(self._widths()) != WIDTH or len(self._widths()) != len(self.panels):
            titles = ", ".join(str(panel.title) for panel in self.panels)
            raise ValueError(f"{titles}: widths {list(self.widths)} do not fill {WIDTH} columns")

    def placed(self, top: int) -> Iterator[Panel]:
        """The panels, with their places."""
        left = 0
        for panel, width in zip(self.panels, self._widths(), strict=True):
            panel.grid_pos = GridPos(h=self.height, w=width, x=left, y=top)
            left += width
            yield panel

    def _widths(self) -> Sequence[int]:
        if self.widths:
            return self.widths
        share, rest = divmod(WIDTH, len(self.panels))
        return [share + (index < rest) for index in range(len(self.panels))]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading across the page."""

    title: str


def row(height: int, *panels: Panel, widths: Sequence[int] = ()) -> Band:
    """Panels beside each other; `height` in grid rows of 30 pixels and a gap of 8."""
    return Band(height, panels, widths)


def laid_out(parts: Sequence[Band | Heading]) -> list[Panel | RowPanel]:
    """All panels with their places, numbered in their order."""
    placed: list[Panel | RowPanel] = []
    top = 0
    for part in parts:
        if isinstance(part, Heading):
            placed.append(RowPanel(title=part.title, grid_pos=GridPos(h=1, w=WIDTH, x=0, y=top), panels=[]))
            top += 1
        else:
            placed.extend(part.placed(top))
            top += part.height
    for number, panel in enumerate(placed, 1):
        panel.id_val = number
    return placed
