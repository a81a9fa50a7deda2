"""The tables that events become rows of: their keys and columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    "unexpected": "int8",
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
_FLEET: Mapping[str, str] = dict.fromkeys(
    (
        "sites_present",
        "sites_away",
        "sites_never_seen",
        "demands",
        "wanted",
        "granted",
        "pending",
        "servable",
        "demands_waiting",
        "demands_expired",
        "overcommitted",
    ),
    "int8",
)
_TENANT: Mapping[str, str] = dict.fromkeys(
    ("deserved", "limited_to", "wanted", "granted", "pending", "used", "starved", "borrowing", "servable"), "int8"
)
_QUANTITY = {"accelerators": "int8", "h100e": "float8", "watts": "float8"}

SITE_SAMPLES = Table(
    "site_samples",
    ("time", "site"),
    {"time": "timestamptz", "site": "text", "presence": "text", "pue": "float8", **_TOTALS},
)
FLEET_SAMPLES = Table("fleet_samples", ("time",), {"time": "timestamptz", **_FLEET, **_TOTALS})
SITE_POOLS = Table(
    "site_pools", ("time", "site", "type"), {"time": "timestamptz", "site": "text", "type": "text", **_POOL}
)
FLEET_POOLS = Table("fleet_pools", ("time", "type"), {"time": "timestamptz", "type": "text", **_POOL})
TENANT_SAMPLES = Table("tenant_samples", ("time", "tenant"), {"time": "timestamptz", "tenant": "text", **_TENANT})
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
        "binding_together_with": "text[]",
        "binding_behind": "int8",
        "one_more_unit": "text",
        "one_more_serves": "int8",
        "summary": "text",
        "also": "jsonb",
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
        "accelerator_utilization": "float4[]",
        "accelerator_power_watts": "float4[]",
        "accelerator_memory_used_bytes": "int8[]",
        "accelerator_temperature_celsius": "float4[]",
    },
)
DEAD_LETTERS = Table(
    "dead_letters",
    ("time", "topic", "partition", "letter_offset"),
    {
        "time": "timestamptz",
        "topic": "text",
        "partition": "int8",
        "letter_offset": "int8",
        "code": "text",
        "detail": "text",
        "source_topic": "text",
        "source_partition": "int8",
        "source_offset": "int8",
        "key": "text",
        "rows_refused": "int8",
        "bytes": "int8",
    },
)
_PERIOD = {"time": "timestamptz", "worker": "text", "app": "text", "since": "timestamptz"}
PIPELINE_WORKERS = Table(
    "pipeline_workers",
    ("time", "worker"),
    {**_PERIOD, "rows_written": "int8", "resident_bytes": "int8", "cpu_seconds": "float8"},
)
PIPELINE_FLOWS = Table(
    "pipeline_flows",
    ("time", "worker", "topic", "partition"),
    {**_PERIOD, "topic": "text", "partition": "int8", "records": "int8", "bytes": "int8", "lag": "int8"},
)
PIPELINE_DELAYS = Table(
    "pipeline_delays",
    ("time", "worker", "stage"),
    {
        **_PERIOD,
        "stage": "text",
        "count": "int8",
        "p50_seconds": "float8",
        "p95_seconds": "float8",
        "p99_seconds": "float8",
        "most_seconds": "float8",
    },
)

DERIVED = (
    SITE_SAMPLES,
    SITE_POOLS,
    FLEET_SAMPLES,
    FLEET_POOLS,
    TENANT_SAMPLES,
    SHORTAGE_EVENTS,
    NODE_SAMPLES,
    DEAD_LETTERS,
)
"""What follows from the logs."""
PIPELINE = (PIPELINE_WORKERS, PIPELINE_FLOWS, PIPELINE_DELAYS)
"""What workers say of themselves, which nothing else can tell."""
TABLES = (*DERIVED, *PIPELINE)
