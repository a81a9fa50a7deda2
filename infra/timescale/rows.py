"""The tables' columns, and the rows that a state, a shortage or a node frame becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.instants import moment_of
from models.node_frame import NodeFrame
from models.shortage import Accelerators, Quantity, Shortage
from models.state import FleetState, PoolState, SiteState, Totals

Row = tuple[Any, ...]
"""Values in the order of the table's columns; lists as tuples, so that rows can be compared and put into sets."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that events become rows of. `columns` has PostgreSQL types by name, without what the server fills in.

    Whole numbers are int8: psycopg cuts what is too large for an int4 without a word.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]


_TOTALS: Mapping[str, str] = {
    "nodes_reporting": "int8",
    "nodes_stale": "int8",
    "nodes_lost": "int8",
    "nodes_never_seen": "int8",
    "nodes_in_service": "int8",
    "nodes_draining": "int8",
    "nodes_maintenance": "int8",
    "nodes_failed": "int8",
    "installed": "int8",
    "in_service": "int8",
    "allocated": "int8",
    "free": "int8",
    "unknown": "int8",
    "h100e_in_service": "float8",
    "h100e_free": "float8",
    "utilization": "float8",
    "it_measured_watts": "float8",
    "it_modelled_watts": "float8",
    "it_carried_watts": "float8",
    "facility_watts": "float8",
    "supply_watts": "float8",
    "headroom_watts": "float8",
    "energy_joules": "int8",
    "newest_reading": "timestamptz",
    "readings_observed": "int8",
    "readings_duplicate": "int8",
    "readings_superseded": "int8",
    "readings_late": "int8",
    "readings_refused": "int8",
    "open_shortages": "int8",
}
_POOL: Mapping[str, str] = {
    "installed": "int8",
    "in_service": "int8",
    "allocated": "int8",
    "free": "int8",
    "held_idle": "int8",
    "unknown": "int8",
    "h100e_in_service": "float8",
    "h100e_free": "float8",
    "utilization": "float8",
}
_DEMAND = ("sites_present", "sites_away", "sites_never_seen", "demands", "wanted", "granted", "pending")
_QUANTITY = {"accelerators": "int8", "h100e": "float8", "watts": "float8"}

SITE_SAMPLES = Table(
    "site_samples",
    ("time", "site"),
    {"time": "timestamptz", "site": "text", "presence": "text", "pue": "float8", **_TOTALS},
)
FLEET_SAMPLES = Table("fleet_samples", ("time",), {"time": "timestamptz", **dict.fromkeys(_DEMAND, "int8"), **_TOTALS})
SITE_POOLS = Table(
    "site_pools", ("time", "site", "type"), {"time": "timestamptz", "site": "text", "type": "text", **_POOL}
)
FLEET_POOLS = Table("fleet_pools", ("time", "type"), {"time": "timestamptz", "type": "text", **_POOL})
SHORTAGE_EVENTS = Table(
    "shortage_events",
    ("id", "sequence"),
    {
        "id": "text",
        "sequence": "int8",
        "time": "timestamptz",
        "change": "text",
        "status": "text",
        "severity": "text",
        "scope_kind": "text",
        "scope_name": "text",
        "resource": "text",
        "resource_types": "text[]",
        **{f"{part}_{unit}": kind for part in ("demanded", "served", "missing") for unit, kind in _QUANTITY.items()},
        "binding": "text",
        "binding_sites": "text[]",
        "binding_types": "text[]",
        "summary": "text",
        "since": "timestamptz",
        "resolved_at": "timestamptz",
        "projects": "text[]",
        "event": "jsonb",
    },
)
NODE_SAMPLES = Table(
    "node_samples",
    ("time", "site", "node"),
    {
        "time": "timestamptz",
        "site": "text",
        "node": "text",
        "rack": "text",
        "type": "text",
        "heard_at": "timestamptz",
        "hearing": "int2",
        "state": "int2",
        "installed": "int2",
        "in_service": "int2",
        "allocated": "int2",
        "power_watts": "float8",
        "power_source": "int2",
        "utilization": "float8",
        "memory_used_bytes": "int8",
        "temperature_celsius": "float8",
        "energy_joules": "int8",
    },
)
TABLES = (SITE_SAMPLES, SITE_POOLS, FLEET_SAMPLES, FLEET_POOLS, SHORTAGE_EVENTS, NODE_SAMPLES)


def site_row(state: SiteState) -> Row:
    """The row of `SITE_SAMPLES`."""
    return (state.tick, state.site, state.presence.value, state.pue, *_totals(state))


def fleet_row(state: FleetState) -> Row:
    """The row of `FLEET_SAMPLES`."""
    return (state.tick, *(getattr(state, name) for name in _DEMAND), *_totals(state))


def site_pool_rows(state: SiteState) -> list[Row]:
    """The rows of `SITE_POOLS`."""
    return [(state.tick, state.site, pool.type, *_pool(pool)) for pool in state.pools]


def fleet_pool_rows(state: FleetState) -> list[Row]:
    """The rows of `FLEET_POOLS`."""
    return [(state.tick, pool.type, *_pool(pool)) for pool in state.pools]


def shortage_row(event: Shortage) -> Row:
    """The row of `SHORTAGE_EVENTS`; its last value is the event itself."""
    return (
        event.id,
        event.sequence,
        event.at,
        event.change.value,
        event.status.value,
        event.severity.value,
        event.scope.kind.value,
        event.scope.name,
        event.resource.kind,
        event.resource.types if isinstance(event.resource, Accelerators) else (),
        *_quantity(event.demanded),
        *_quantity(event.served),
        *_quantity(event.missing),
        event.binding.constraint,
        event.binding.sites,
        event.binding.types,
        event.binding.summary,
        event.since,
        event.resolved_at,
        event.projects,
        event,
    )


def node_rows(frame: NodeFrame) -> Iterator[Row]:
    """The rows of `NODE_SAMPLES`, in the frame's order: for checks, `binary_copy` writes them without making any."""
    time = moment_of(frame.tick)
    columns = frame.batch.to_pydict()
    for index, node in enumerate(columns["node"]):
        at = columns["at"][index]
        yield (
            time,
            frame.site,
            node,
            columns["rack"][index],
            columns["type"][index],
            None if at is None else moment_of(at),
            columns["hearing"][index],
            columns["state"][index],
            columns["installed"][index],
            columns["in_service"][index],
            columns["allocated"][index],
            _divided(columns["power_milliwatts"][index], 1000),
            columns["power_source"][index],
            _divided(columns["utilization_ppm"][index], 1_000_000),
            columns["memory_used_bytes"][index],
            _divided(columns["temperature_millicelsius"][index], 1000),
            columns["energy_joules"][index],
        )


def _totals(state: Totals) -> Row:
    nodes, power, intake = state.nodes, state.power, state.intake
    return (
        nodes.reporting,
        nodes.stale,
        nodes.lost,
        nodes.never_seen,
        nodes.in_service,
        nodes.draining,
        nodes.maintenance,
        nodes.failed,
        state.installed,
        state.in_service,
        state.allocated,
        state.free,
        state.unknown,
        state.h100e_in_service,
        state.h100e_free,
        state.utilization,
        power.it_measured,
        power.it_modelled,
        power.it_carried,
        power.facility,
        power.supply,
        power.headroom,
        state.energy_joules,
        state.newest_reading,
        intake.observed,
        intake.duplicate,
        intake.superseded,
        intake.late,
        intake.refused,
        state.open_shortages,
    )


def _pool(pool: PoolState) -> Row:
    return tuple(getattr(pool, name) for name in _POOL)


def _quantity(quantity: Quantity) -> Row:
    return (quantity.accelerators, quantity.h100e, quantity.watts)


def _divided(value: int | None, by: int) -> float | None:
    return None if value is None else value / by
