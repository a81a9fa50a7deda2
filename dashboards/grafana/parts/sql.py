"""SQL as Grafana's PostgreSQL data source takes it, and the pieces of it that many panels share."""

from __future__ import annotations

from textwrap import dedent
from typing import Any, Self

from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models.common import DataSourceRef

from dashboards.grafana.source import DATA_SOURCE_TYPE, DATA_SOURCE_UID

SOURCE = DataSourceRef(type_val=DATA_SOURCE_TYPE, uid=DATA_SOURCE_UID)

PIECES: dict[str, str] = {
    # The chosen sites as an array: right for none, one, several and all. Grafana quotes each by itself, since the
    # variable takes several; `${site:sqlstring}` would put a backslash before double quotes, and PostgreSQL keeps it.
    "sites": "array[$site]::text[]",
    # The site of the chosen node, whatever sites are chosen; the first, where several have one of that name.
    "site of node": "(select site from nodes_now where site = any({sites}) and node = '$node' order by site limit 1)",
    "range": "$__timeFrom(), $__timeTo()",
    # The store's series functions, for the range on the screen, at the resolution that it needs.
    "fleet": "fleet_series({range}, '$__interval')",
    "site by site": "site_series({range}, '$__interval', {sites})",
    # Of the twenty chosen sites that draw most, since more lines than that nobody can tell apart.
    "largest sites": "site_series({range}, '$__interval', array(select site from sites_now where site = any({sites})"
    " order by facility_watts desc nulls last, site limit 20))",
    "fleet pools": "fleet_pool_series({range}, '$__interval')",
    "site pools": "site_pool_series({range}, '$__interval', {sites})",
    "tenants": "tenant_series({range}, '$__interval')",
    "node": "node_series({range}, '$__interval', {site of node}, '$node')",
    # Of a row of `shortages`: it is of one of the chosen sites, or one of them binds, or it is of no single site.
    "touches sites": "(scope_kind = 'site' and scope_name = any({sites}) or binding_sites && {sites}"
    " or scope_kind <> 'site' and cardinality(binding_sites) = 0)",
    # Of a row of `shortages`: it was open at some time of the range.
    "in range": "opened_at <= $__timeTo() and coalesce(resolved_at, 'infinity') >= $__timeFrom()",
}
"""What queries write as `{name}`."""


def spelled_out(text: str, **pieces: str) -> str:
    """The SQL with its pieces in their places: those of its own, which may name others before them, and the shared."""
    for name, piece in (*reversed(pieces.items()), *reversed(PIECES.items())):
        text = text.replace("{" + name + "}", piece)
    return dedent(text).strip()


class Sql(variants.Dataquery):
    """One query of a panel; the SDK has no such class of its own.

    Args:
        text: SQL with Grafana's macros and our pieces; its indentation does not matter.
        table: Whether the rows are wanted as they are. Otherwise they are time series: a column `time`, in its order,
            text columns as labels, and each number a series.
        ref: What overrides call it.
        pieces: Of this query alone.
    """

    def __init__(self, text: str, *, table: bool = False, ref: str = "A", **pieces: str) -> None:
        self.text, self.table, self.ref = spelled_out(text, **pieces), table, ref

    def to_json(self) -> dict[str, object]:
        """As in a dashboard's JSON."""
        return {
            "refId": self.ref,
            "datasource": SOURCE,
            "format": "table" if self.table else "time_series",
            "rawSql": self.text,
            "rawQuery": True,
            "editorMode": "code",
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Out of a dashboard's JSON."""
        return cls(found["rawSql"], table=found["format"] == "table", ref=found["refId"])
