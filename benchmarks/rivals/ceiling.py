"""The ceiling: the least code that takes the same frames and writes rows. Compared with our twin and store together."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from psycopg import sql

from benchmarks.rivals.rival import Rival
from benchmarks.rivals.sums import SiteSum, Sums
from benchmarks.stage import Stage
from infra.timescale.connection import connect
from models.topics import TELEMETRY

NODES = """create table {}.ceiling_nodes (
    time timestamptz, site text, node text, at timestamptz, installed smallint, in_service smallint, allocated smallint,
    power_watts real, utilization real, memory_used_bytes bigint, temperature_celsius real)"""
SITES = "create table {}.ceiling_sites (tick bigint, site text, nodes bigint, milliwatts bigint)"


def line(_: Stage) -> Sequence[str]:
    """By our own interpreter."""
    return [sys.executable, "-m", "benchmarks.rivals.programs.ceiling"]


def prepare(stage: Stage) -> None:
    """Its two tables, without an index."""
    with connect(stage.database_url, "benchmark") as owner:
        for table in (NODES, SITES):
            owner.execute(sql.SQL(table).format(sql.Identifier(stage.settings.database.schema_name)))


def sums(stage: Stage) -> Sums:
    """As it has written them."""
    asked = sql.SQL("select site, tick, nodes, milliwatts from {}.ceiling_sites").format(
        sql.Identifier(stage.settings.database.schema_name)
    )
    with connect(stage.database_url, "benchmark") as owner:
        return {(site, tick): SiteSum(nodes, total) for site, tick, nodes, total in owner.execute(asked)}


RIVAL = Rival("ceiling", TELEMETRY, line, sums, prepare)
