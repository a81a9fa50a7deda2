"""A node as people see it: its row of the table, in their units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from models.columns import UNKNOWN as NOT_SAID
from models.columns import UNKNOWN_TEMPERATURE, Codes, Integers
from models.console import AcceleratorsView, NodeView
from models.instants import moment_of
from models.node_frame import Hearing, PowerSource
from models.reading import STATE_NAMES
from twin.nodes import NEVER
from twin.rows import Row
from twin.site import SiteTwin
from twin.standing import hearing_of, power_source_of

MILLION = 1_000_000

T = TypeVar("T")


def hearing_at(site: SiteTwin, known: Integers) -> Codes:
    """`Hearing` of nodes of a site at its last closed tick; before there is one, no node is known."""
    return hearing_of(known, site.closed or 0, site.rules)


def views_of(site: SiteTwin, slots: Integers) -> tuple[NodeView, ...]:
    """The nodes in these slots, as of the site's last closed tick."""
    known = site.nodes.known[:, slots]
    hearing = hearing_at(site, known)
    columns = (known.T.tolist(), hearing.tolist(), power_source_of(known, hearing).tolist())
    accelerators = site.nodes.accelerators.of(slots).each()
    rows = zip(slots.tolist(), *columns, accelerators, strict=True)
    return tuple(_view(site, slot, *rest) for slot, *rest in rows)


def _view(
    site: SiteTwin, slot: int, row: list[int], hearing: int, source: int, accelerators: tuple[tuple[int, ...], ...]
) -> NodeView:
    nodes = site.nodes
    return NodeView(
        site=site.site,
        node=nodes.names[slot],
        rack=nodes.racks[row[Row.RACK]] or None,
        type=nodes.catalogue.ids[row[Row.CODE]],
        heard_at=moment_of(row[Row.AT]),
        hearing=Hearing(hearing).name.lower(),
        state=STATE_NAMES[row[Row.STATE]],
        installed=row[Row.INSTALLED],
        in_service=row[Row.IN_SERVICE],
        allocated=_counted(row[Row.ALLOCATED]),
        power_watts=None if source == PowerSource.UNKNOWN else row[Row.DRAWN] / 1000,
        power_source=PowerSource(source).name.lower(),
        utilization=_divided(row[Row.UTILIZATION], MILLION),
        memory_used_bytes=_counted(row[Row.MEMORY_USED]),
        temperature_celsius=_divided(row[Row.TEMPERATURE], 1000, UNKNOWN_TEMPERATURE),
        energy_joules=row[Row.JOULES],
        idle_since=None if row[Row.IDLE_SINCE] == NEVER else moment_of(row[Row.IDLE_SINCE]),
        accelerators=_of_each(*accelerators) if accelerators else None,
    )


def _of_each(
    utilization: Sequence[int], power: Sequence[int], memory_used: Sequence[int], temperature: Sequence[int]
) -> AcceleratorsView:
    return AcceleratorsView(
        utilization=_said([_divided(value, MILLION) for value in utilization]),
        power_watts=_said([_divided(value, 1000) for value in power]),
        memory_used_bytes=_said([_counted(value) for value in memory_used]),
        temperature_celsius=_said([_divided(value, 1000, UNKNOWN_TEMPERATURE) for value in temperature]),
    )


def _said(values: Sequence[T | None]) -> tuple[T | None, ...] | None:
    """The values, or nothing where none is known."""
    return None if all(value is None for value in values) else tuple(values)


def _counted(value: int) -> int | None:
    return None if value == NOT_SAID else value


def _divided(value: int, by: int, unknown: int = NOT_SAID) -> float | None:
    return None if value == unknown else value / by
