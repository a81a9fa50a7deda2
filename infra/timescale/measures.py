"""What the rollups hold: for each measure its count where it can be unknown, its sum, least and greatest value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

Columns = tuple[tuple[str, sql.SQL | sql.Composed], ...]
"""Name of each column, and the expression that it is computed by."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`value` is an expression over the finer table; a measure that can be unknown has its own count, `n`."""

    name: str
    value: LiteralString
    parts: tuple[LiteralString, ...] = ("sum", "min", "max")
    whole: LiteralString | None = None
    """How many of the whole numbers that samples are made of one unit holds. Those are added up, below 2**53 without
    an error, so that a minute's sum is the same to the bit whoever adds, in whichever order."""


@dataclass(frozen=True, slots=True)
class Rollup:
    """Tables `<name>_1m` and `<name>_1h` over `source`, with one row for each bucket and each value of the keys."""

    name: str
    source: str
    keys: tuple[LiteralString, ...]
    measures: tuple[Measure, ...]


def minute_columns(rollup: Rollup) -> Columns:
    """Over the samples."""
    computed = (
        (f"{measure.name}_{part}", sql.SQL(_over_samples(measure, part)))
        for measure in rollup.measures
        for part in measure.parts
    )
    return (("n", sql.SQL("count(*)")), *computed)


def _over_samples(measure: Measure, part: LiteralString) -> LiteralString:
    if part == "n":
        return "count(" + measure.value + ")"
    if part == "sum" and measure.whole is not None:
        return "sum(round(" + measure.value + " * " + measure.whole + ")) / " + measure.whole
    return part + "(" + measure.value + ")"


def hour_columns(rollup: Rollup) -> Columns:
    """Over the minutes."""
    columns: list[tuple[str, sql.SQL | sql.Composed]] = [("n", sql.SQL("sum(n)"))]
    for measure in rollup.measures:
        for part in measure.parts:
            name = f"{measure.name}_{part}"
            function: LiteralString = "sum" if part == "n" else part
            columns.append((name, sql.SQL(function + "({})").format(sql.Identifier(name))))
    return tuple(columns)


def _known(*names: LiteralString) -> tuple[Measure, ...]:
    return tuple(Measure(name, name) for name in names)


def _maybe(*names: LiteralString) -> tuple[Measure, ...]:
    return tuple(Measure(name, name, ("n", "sum", "min", "max")) for name in names)


def _counters(*names: LiteralString) -> tuple[Measure, ...]:
    """What only grows: least and greatest are the first and last values."""
    return tuple(Measure(name, name, ("min", "max")) for name in names)


_TOTALS = (
    Measure("it_watts", "it_measured_watts + it_modelled_watts + it_carried_watts"),
    *_maybe("facility_watts", "supply_watts", "headroom_watts", "utilization", "unexpected"),
    *_known("installed", "in_service", "allocated", "free", "unknown", "h100e_in_service", "h100e_free"),
    *_known("nodes_reporting", "nodes_stale", "nodes_lost", "open_shortages"),
    *_maybe("nodes_in_service", "nodes_draining", "nodes_maintenance", "nodes_failed", "nodes_never_seen"),
    *_counters("energy_joules", "readings_observed", "readings_late", "readings_refused"),
)
_FLEET = (
    *_TOTALS,
    *_known("demands", "wanted", "granted", "pending"),
    *_maybe("servable", "demands_waiting", "demands_expired", "overcommitted"),
)
_TENANT = (
    *_known("wanted", "granted", "pending", "servable"),
    *_maybe("deserved", "limited_to", "used", "starved", "borrowing"),
)
_POOL = (
    *_known("installed", "in_service", "allocated", "free", "held_idle", "unknown", "h100e_in_service", "h100e_free"),
    *_maybe("utilization"),
)
_NODE = (
    Measure("power_watts", "power_watts", ("n", "sum", "min", "max"), whole="1000"),
    Measure("utilization", "utilization", ("n", "sum", "min", "max"), whole="1000000"),
    Measure("temperature_celsius", "temperature_celsius", ("n", "sum", "max"), whole="1000"),
    Measure("memory_used_bytes", "memory_used_bytes", ("n", "sum", "max")),
    *_counters("energy_joules"),
    Measure("lost", "(hearing = 2)::integer", ("sum",)),
    Measure("stale", "(hearing = 1)::integer", ("sum",)),
    Measure("draining", "(state = 1)::integer", ("sum",)),
    Measure("maintenance", "(state = 2)::integer", ("sum",)),
    Measure("failed", "(state = 3)::integer", ("sum",)),
)

NODE_ROLLUP = Rollup("node", "node_samples", ("site", "node"), _NODE)
ROLLUPS = (
    Rollup("site", "site_samples", ("site",), _TOTALS),
    Rollup("fleet", "fleet_samples", (), _FLEET),
    Rollup("site_pools", "site_pools", ("site", "type"), _POOL),
    Rollup("fleet_pools", "fleet_pools", ("type",), _POOL),
    Rollup("tenant", "tenant_samples", ("tenant",), _TENANT),
    NODE_ROLLUP,
)
