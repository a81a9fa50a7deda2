"""A day of a fleet in the database, made by SQL: as many rows as the store would have written, of plausible values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from psycopg import sql

from infra.timescale import tables
from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from infra.timescale.measures import ROLLUPS, Rollup, hour_columns, minute_columns
from infra.timescale.sink import TimescaleSink
from infra.timescale.tables import Table
from models.instants import moment_of
from models.shortage import (
    Binding,
    Change,
    Constraint,
    OneMore,
    Power,
    Quantity,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Unit,
)

END = 1_800_057_600_000
"""2027-01-16 00:00 UTC: the newest rows."""
SITES = 4
EPISODES = 200

Names = Mapping[str, LiteralString]

_BY_TYPE: Names = {
    "int8": "1000 + extract(epoch from time)::bigint % 61",
    "float8": "1e6 + extract(epoch from time)::bigint % 977",
    "text": "'present'",
    "timestamptz": "time - interval '300 milliseconds'",
}
_COUNTERS = ("energy_joules", "readings_observed", "readings_late", "readings_refused")
_GIVEN: Names = {
    "pue": "1.2",
    "nodes_reporting": "%(nodes)s / %(sites)s - 20",
    "nodes_stale": "10",
    "nodes_lost": "10",
    "nodes_never_seen": "0",
    "utilization": "0.5 + extract(epoch from time)::bigint % 100 / 250.0",
    "supply_watts": "1.1e6",
    "headroom_watts": "1.1e6 - 1e6 - extract(epoch from time)::bigint % 977",
    **dict.fromkeys(_COUNTERS, "extract(epoch from time)::bigint * 1000"),
}

_SITES: LiteralString = "(select 'site-' || i as site from generate_series(1, %(sites)s) i) sites"
_TYPES: LiteralString = "(values ('h100-sxm'), ('h200-sxm'), ('b200-sxm')) types (type)"
_TENANTS: LiteralString = "(select 'tenant-' || i as tenant from generate_series(1, 8) i) tenants"
_TICKS: LiteralString = (
    "generate_series(%(begin)s + interval '1 second', %(end)s, make_interval(secs => %(step)s)) time"
)

_NODE: Names = {
    "rack": "'r' || n / 16",
    "type": "'h100-sxm'",
    "heard_at": "time - interval '5 seconds'",
    "hearing": "case when n % 97 = 0 then 2 when n % 89 = 0 then 1 else 0 end",
    "state": "case when n % 83 = 0 then 3 when n % 79 = 0 then 1 else 0 end",
    "installed": "8",
    "in_service": "8",
    "allocated": "n % 9",
    "power_watts": "4000 + (n * 37 + extract(epoch from time)::bigint) % 4000",
    "power_source": "0",
    "utilization": "(n * 31 + extract(epoch from time)::bigint / 10) % 1000 / 1000.0",
    "memory_used_bytes": "2::bigint ^ 38 + n",
    "temperature_celsius": "40 + (n * 7 + extract(epoch from time)::bigint / 60) % 45",
    "energy_joules": "(extract(epoch from time)::bigint - 1800000000) * 5000 + n",
    "accelerator_utilization": "case when n % 4 = 0 then array_fill(0.5::real, array[8]) end",
    "accelerator_power_watts": "case when n % 4 = 0 then array_fill(550.0::real, array[8]) end",
    "accelerator_memory_used_bytes": "case when n % 4 = 0 then array_fill(60000000000, array[8]) end",
    "accelerator_temperature_celsius": "case when n % 4 = 0 then array_fill(61.0::real, array[8]) end",
}
_NODES: LiteralString = (
    "(select 'site-' || n % %(sites)s + 1 as site, 'node-' || lpad(n::text, 6, '0') as node, n"
    " from generate_series(0, %(nodes)s - 1) n) nodes"
)

_WORKERS: LiteralString = "(values ('twin'), ('store')) apps (app), (values (1), (2)) workers (number)"
_WORKER: Names = {"worker": "app || '@host/' || number", "app": "app", "since": "time - interval '10 seconds'"}
_FLOWS: LiteralString = (
    "(values ('twin', 'fleet.telemetry.v1'), ('store', 'fleet.nodes.v1')) flows (app, topic),"
    " generate_series(0, 14) partition"
)
"""Twelve partitions of each, and as many as the other topics have together."""
_FLOW: Names = {
    "worker": "app || '@host/' || partition % 2 + 1",
    "app": "app",
    "since": "time - interval '10 seconds'",
    "topic": "topic",
    "partition": "partition",
}
_STAGES: LiteralString = "(values ('site_state'), ('site_row'), ('node_row'), ('shortage_row')) stages (stage)"
_LETTER: Names = {
    "topic": "'fleet.telemetry.v1.dlq'",
    "partition": "0",
    "letter_offset": "extract(epoch from time)::bigint",
    "code": "(array['unknown_type', 'wrong_site', 'in_future'])[extract(epoch from time)::bigint / 20 % 3 + 1]",
    "detail": "'a sentence that says why'",
    "source_topic": "'fleet.telemetry.v1'",
    "source_partition": "1",
    "source_offset": "extract(epoch from time)::bigint",
    "key": "'site-1'",
    "rows_refused": "3",
    "bytes": "64000",
}


def seed_day(connection: Connection, address: str, schema: str, nodes: int, hours: int) -> None:
    """Fill all tables, rollups included; the schema is migrated and empty."""
    connection.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(schema)))
    times = {"begin": moment_of(END - hours * 3_600_000), "end": moment_of(END), "nodes": nodes, "sites": SITES}

    def fill(table: Table, step: int, given: Names, *also: LiteralString) -> None:
        _fill(connection, table, {**_GIVEN, **given}, (_TICKS, *also), {**times, "step": step})

    fill(tables.FLEET_SAMPLES, 1, {})
    fill(tables.FLEET_POOLS, 1, {"type": "type"}, _TYPES)
    fill(tables.SITE_SAMPLES, 1, {"site": "site"}, _SITES)
    fill(tables.SITE_POOLS, 1, {"site": "site", "type": "type"}, _SITES, _TYPES)
    fill(tables.TENANT_SAMPLES, 1, {"tenant": "tenant"}, _TENANTS)
    fill(tables.NODE_SAMPLES, 10, {**_NODE, "site": "site", "node": "node"}, _NODES)
    fill(tables.PIPELINE_WORKERS, 10, _WORKER, _WORKERS)
    fill(tables.PIPELINE_FLOWS, 10, _FLOW, _FLOWS)
    fill(tables.PIPELINE_DELAYS, 10, {**_WORKER, "stage": "stage"}, _WORKERS, _STAGES)
    fill(tables.DEAD_LETTERS, 20, _LETTER)
    connection.execute(
        "insert into site_newest_frame select distinct site, time from node_samples"
        " where time = (select max(time) from node_samples)"
    )
    for rollup in ROLLUPS:
        _roll_up(connection, rollup)
    with TimescaleSink(address, schema) as sink:
        sink.write(RowBatch(shortages=[event for number in range(EPISODES) for event in _episode(number, hours)]))
    connection.execute("analyze")


def _fill(
    connection: Connection, table: Table, given: Names, sources: tuple[LiteralString, ...], values: Mapping[str, object]
) -> None:
    columns = {name: given.get(name, _BY_TYPE.get(kind, "null")) for name, kind in table.columns.items()}
    columns["time"] = "time"
    statement = sql.SQL("insert into {table} ({names}) select {values} from {sources}").format(
        table=sql.Identifier(table.name),
        names=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(map(sql.SQL, columns.values())),
        sources=sql.SQL(", ").join(map(sql.SQL, sources)),
    )
    # `%` is for parameters here, so the values that are computed with it double it
    connection.execute(_doubled(statement, connection), values)


def _doubled(statement: sql.Composed, connection: Connection) -> bytes:
    text = statement.as_string(connection)
    return text.replace("%", "%%").replace("%%(", "%(").encode()


def _roll_up(connection: Connection, rollup: Rollup) -> None:
    steps = (
        (rollup.source, f"{rollup.name}_1m", "1 minute", minute_columns(rollup)),
        (f"{rollup.name}_1m", f"{rollup.name}_1h", "1 hour", hour_columns(rollup)),
    )
    for source, target, length, columns in steps:
        keys = [sql.Identifier(key) for key in rollup.keys]
        comma = sql.SQL(", ")
        bucket = sql.SQL("date_bin({}, time, 'epoch')").format(sql.Literal(length))
        connection.execute(
            # ordered as the store writes them: minute by minute, site by site
            sql.SQL(
                "insert into {target} ({names}) select {values} from {source}"
                " group by {bucket}{keys} order by {bucket}{keys}"
            ).format(
                target=sql.Identifier(target),
                source=sql.Identifier(source),
                bucket=bucket,
                keys=sql.SQL("").join(sql.SQL(", {}").format(key) for key in keys),
                names=comma.join([sql.Identifier("time"), *keys, *(sql.Identifier(name) for name, _ in columns)]),
                values=comma.join([bucket, *keys, *(value for _, value in columns)]),
            )
        )


def _episode(number: int, hours: int) -> list[Shortage]:
    """Opened, grown and, but for every tenth, resolved an hour later."""
    opened = END - (number + 1) * hours * 3_600_000 // (EPISODES + 1)
    steps = [(opened, Change.OPENED, Severity.WARNING), (opened + 60_000, Change.UPDATED, Severity.CRITICAL)]
    if number % 10:
        steps.append((min(opened + 3_600_000, END), Change.RESOLVED, Severity.CRITICAL))
    site = f"site-{number % SITES + 1}"
    return [
        Shortage(
            id=f"site/{site}/power@{opened}",
            sequence=sequence,
            change=change,
            status=Status.RESOLVED if change is Change.RESOLVED else Status.OPEN,
            severity=severity,
            scope=Scope(kind=ScopeKind.SITE, name=site),
            resource=Power(),
            demanded=Quantity(accelerators=800, h100e=800, watts=1e6),
            served=Quantity(),
            missing=Quantity(accelerators=100 + number, h100e=800, watts=1e6),
            binding=Binding(
                constraint=Constraint.POWER,
                sites=(site,),
                types=(),
                behind=100,
                one_more=OneMore(unit=Unit.MEGAWATT, serves=97),
                summary="100 wait for power",
            ),
            since=moment_of(opened - 5000),
            at=moment_of(at),
            resolved_at=moment_of(at) if change is Change.RESOLVED else None,
            projects=(f"project-{number % 7}",),
        )
        for sequence, (at, change, severity) in enumerate(steps)
    ]
