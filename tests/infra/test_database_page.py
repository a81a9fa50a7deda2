"""The page about the database has all that is in the schema, with the columns as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.timescale.connection import Connection
from infra.timescale.measures import ROLLUPS
from tests.infra.timescale_builders import opened, select

pytestmark = pytest.mark.servers

PAGE = (Path(__file__).parents[2] / "docs" / "database.md").read_text(encoding="utf-8")
ENTRY = re.compile(r"^\| `(?P<name>\w+)(?:\((?P<takes>[^)]*)\))?` \| [^|]+ \| (?P<columns>[^|]+) \|$", re.MULTILINE)
ROLLED_UP = {f"{rollup.name}_{length}" for rollup in ROLLUPS for length in ("1m", "1h")}


def found(look: Connection) -> dict[str, tuple[list[str], set[str]]]:
    """By name, what it takes and its columns."""
    tables = select(
        look,
        "select relname, array_agg(attname::text) from pg_attribute join pg_class c on c.oid = attrelid"
        " where relnamespace = 'fleettwin'::regnamespace and attnum > 0 and relkind in ('r', 'v') group by 1",
    )
    functions = select(
        look,
        "select proname, proargnames[:pronargs], proargnames[pronargs + 1:] from pg_proc"
        " where pronamespace = 'fleettwin'::regnamespace",
    )
    return {name: ([], set(columns)) for name, columns in tables} | {
        name: (takes, set(gives)) for name, takes, gives in functions
    }


def test_the_page_has_every_table_view_and_function_with_its_columns(database_url: str) -> None:
    told = {
        entry["name"]: (
            entry["takes"].split(", ") if entry["takes"] else [],
            set(re.findall(r"`(\w+)`", entry["columns"])),
        )
        for entry in ENTRY.finditer(PAGE)
    }
    with opened(database_url) as (_, look):
        there = found(look)

    assert told == {name: what for name, what in there.items() if name not in ROLLED_UP}


def test_the_page_names_every_rollup(database_url: str) -> None:
    with opened(database_url) as (_, look):
        assert {name for name in found(look) if re.search(r"_1[mh]$", name)} == ROLLED_UP
    assert {name for name in ROLLED_UP if f"`{name}`" not in PAGE} == set()
