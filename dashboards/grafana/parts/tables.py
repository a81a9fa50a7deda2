"""Tables, and what each of their columns is shown as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models import common, table
from grafana_foundation_sdk.models.dashboard import (
    DashboardLink,
    FieldConfig,
    FieldConfigSource,
    Panel,
    ThresholdsConfig,
)

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Override, override
from dashboards.grafana.parts.sql import SOURCE, Sql


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is shown; columns that are not spoken of are shown as they are.

    Args:
        unit: Grafana's name of the unit.
        width: In pixels.
        thresholds: The text takes their colour.
        gauge: As a bar from zero to this.
        words: Colours of words.
        links: From the cell.
        decimals: Of numbers.
        hidden: There for links alone.
    """

    unit: str | None = None
    width: int | None = None
    thresholds: ThresholdsConfig | None = None
    gauge: float | None = None
    words: Mapping[str, str] | None = None
    links: Sequence[DashboardLink] = ()
    decimals: int | None = None
    hidden: bool = False


def table_panel(
    title: str,
    description: str,
    unit: str,
    sql: Sql,
    columns: Mapping[str, Column],
    *,
    no_value: str = "-",
) -> Panel:
    """Rows as the query puts them in order; it must say how many at the most.

    Args:
        title: A few words.
        description: What it answers.
        unit: Of columns that say none.
        sql: A query with `table=True`.
        columns: By name, those that are shown in a way of their own.
        no_value: In the place of nothing.
    """
    return Panel(
        type_val="table",
        title=title,
        description=description,
        datasource=SOURCE,
        targets=[sql],
        options=table.Options(
            show_header=True,
            cell_height=common.TableCellHeight.SM,
            footer=common.TableFooterOptions(show=False, reducer=["sum"], count_rows=False),
        ),
        field_config=FieldConfigSource(
            defaults=FieldConfig(
                unit=unit,
                thresholds=colours.quiet(),
                color=colours.by_threshold(),
                no_value=no_value,
                custom=table.FieldConfig(cell_options=common.TableAutoCellOptions(), filterable=True),
            ),
            overrides=[_shown(name, column) for name, column in columns.items()],
        ),
    )


def _shown(name: str, column: Column) -> Override:
    properties: dict[str, object] = {}
    if column.unit is not None:
        properties["unit"] = column.unit
    if column.width is not None:
        properties["custom__width"] = column.width
    if column.decimals is not None:
        properties["decimals"] = column.decimals
    if column.hidden:
        properties["custom__hidden"] = True
    if column.thresholds is not None:
        properties["thresholds"] = column.thresholds
    if column.words is not None:
        properties["mappings"] = colours.named(column.words)
    if column.gauge is not None:
        properties |= {
            "min": 0,
            "max": column.gauge,
            "custom__cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
        }
    elif column.thresholds is not None or column.words is not None:
        properties["custom__cellOptions"] = {"type": "color-text"}
    if column.links:
        properties["links"] = list(column.links)
    return override("byName", name, **properties)
