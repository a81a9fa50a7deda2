"""The rows that a state, a shortage or a node frame becomes, in the order of their tables' columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from infra.timescale import tables
from infra.timescale.batch import RowBatch
from infra.timescale.own_rows import delay_rows, flow_rows, letter_row, worker_row
from models.instants import moment_of
from models.node_frame import NodeFrame
from models.shortage import Accelerators, Quantity, Shortage, Unplaced
from models.state import FleetState, PoolState, SiteState, Totals

Row = tuple[Any, ...]
"""Values in the order of the table's columns; lists as tuples, so that rows can be compared and put into sets."""


def site_row(state: SiteState) -> Row:
    """The row of `SITE_SAMPLES`."""
    return (state.tick, state.site, state.presence.value, state.pue, *_totals(state))


def fleet_row(state: FleetState) -> Row:
    """The row of `FLEET_SAMPLES`."""
    return (
        state.tick,
        state.sites_present,
        state.sites_away,
        state.sites_never_seen,
        state.demands,
        state.wanted,
        state.granted,
        state.pending,
        state.servable,
        state.demands_waiting,
        state.demands_expired,
        state.overcommitted,
        *_totals(state),
    )


def site_pool_rows(state: SiteState) -> list[Row]:
    """The rows of `SITE_POOLS`."""
    return [(state.tick, state.site, pool.type, *_pool(pool)) for pool in state.pools]


def fleet_pool_rows(state: FleetState) -> list[Row]:
    """The rows of `FLEET_POOLS`."""
    return [(state.tick, pool.type, *_pool(pool)) for pool in state.pools]


def tenant_rows(state: FleetState) -> list[Row]:
    """The rows of `TENANT_SAMPLES`."""
    return [
        (
            state.tick,
            tenant.tenant,
            tenant.deserved,
            tenant.limit,
            tenant.wanted,
            tenant.granted,
            tenant.pending,
            tenant.used,
            tenant.starved,
            tenant.borrowing,
            tenant.servable,
        )
        for tenant in state.tenants
    ]


def shortage_row(event: Shortage) -> Row:
    """The row of `SHORTAGE_EVENTS`; its last value is the event itself."""
    binding, more = event.binding, event.binding.one_more
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
        event.resource.types if isinstance(event.resource, Accelerators | Unplaced) else (),
        *_quantity(event.demanded),
        *_quantity(event.served),
        *_quantity(event.missing),
        binding.constraint.value,
        binding.sites,
        binding.types,
        tuple(constraint.value for constraint in binding.together_with),
        binding.behind,
        None if more is None else more.unit.value,
        None if more is None else more.serves,
        binding.summary,
        event.also,
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
            _singles(columns["accelerator_utilization_ppm"][index], 1_000_000),
            _singles(columns["accelerator_power_milliwatts"][index], 1000),
            _listed(columns["accelerator_memory_used_bytes"][index]),
            _singles(columns["accelerator_temperature_millicelsius"][index], 1000),
        )


_ROWS: Mapping[str, Callable[[RowBatch], Iterable[Row]]] = {
    tables.SITE_SAMPLES.name: lambda batch: map(site_row, batch.sites),
    tables.SITE_POOLS.name: lambda batch: (row for state in batch.sites for row in site_pool_rows(state)),
    tables.FLEET_SAMPLES.name: lambda batch: map(fleet_row, batch.fleet),
    tables.FLEET_POOLS.name: lambda batch: (row for state in batch.fleet for row in fleet_pool_rows(state)),
    tables.TENANT_SAMPLES.name: lambda batch: (row for state in batch.fleet for row in tenant_rows(state)),
    tables.SHORTAGE_EVENTS.name: lambda batch: map(shortage_row, batch.shortages),
    tables.NODE_SAMPLES.name: lambda batch: (row for frame in batch.nodes for row in node_rows(frame)),
    tables.DEAD_LETTERS.name: lambda batch: map(letter_row, batch.letters),
    tables.PIPELINE_WORKERS.name: lambda batch: map(worker_row, batch.pipeline),
    tables.PIPELINE_FLOWS.name: lambda batch: (row for sample in batch.pipeline for row in flow_rows(sample)),
    tables.PIPELINE_DELAYS.name: lambda batch: (row for sample in batch.pipeline for row in delay_rows(sample)),
}


def rows_of(batch: RowBatch, table: tables.Table) -> list[Row]:
    """The rows of one table that a batch becomes, repeats included."""
    return list(_ROWS[table.name](batch))


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
        state.unexpected,
    )


def _pool(pool: PoolState) -> Row:
    return (
        pool.installed,
        pool.in_service,
        pool.allocated,
        pool.free,
        pool.held_idle,
        pool.unknown,
        pool.h100e_in_service,
        pool.h100e_free,
        pool.utilization,
    )


def _quantity(quantity: Quantity) -> Row:
    return (quantity.accelerators, quantity.h100e, quantity.watts)


def _listed(values: list[int | None] | None) -> Row | None:
    return None if values is None else tuple(values)


def _singles(values: list[int | None] | None, by: int) -> Row | None:
    """Divided, and rounded to single precision as the column is."""
    return None if values is None else tuple(None if v is None else float(np.float32(v / by)) for v in values)


def _divided(value: int | None, by: int) -> float | None:
    return None if value is None else value / by
