"""Panels: each says what it answers, in which unit, and by which SQL."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.models import bargauge, common, heatmap, stat, statetimeline, timeseries
from grafana_foundation_sdk.models.dashboard import FieldConfig, FieldConfigSource, Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look, Override
from dashboards.grafana.parts.sql import SOURCE, Sql

SHORTEST = "1s"
"""Fleet and sites have a sample each second."""
SHORTEST_NODES = "10s"
"""Nodes have one in each node frame."""

_PLAIN = Look()


def stat_panel(title: str, description: str, unit: str, sql: Sql, look: Look = _PLAIN) -> Panel:
    """One figure, or a few named ones: each numeric column of the row is one. Time series get a sparkline."""
    return _panel(
        "stat",
        title,
        description,
        [sql],
        stat.Options(
            graph_mode=common.BigValueGraphMode.NONE if sql.table else common.BigValueGraphMode.AREA,
            color_mode=common.BigValueColorMode.VALUE,
            justify_mode=common.BigValueJustifyMode.AUTO,
            text_mode=common.BigValueTextMode.AUTO,
            orientation=common.VizOrientation.AUTO,
            reduce_options=common.ReduceDataOptions(values=False, calcs=["lastNotNull"], fields=""),
        ),
        look.defaults(unit, colours.by_threshold()),
        look.overrides,
    )


def time_series(
    title: str,
    description: str,
    unit: str,
    *queries: Sql,
    look: Look = _PLAIN,
    stacked: bool = False,
    bars: bool = False,
    steps: bool = False,
    shortest: str = SHORTEST,
) -> Panel:
    """Lines over time.

    Args:
        title: A few words.
        description: What it answers.
        unit: Grafana's name of the unit; the axis says it.
        queries: Each series is a numeric column, or one for each text label.
        look: Thresholds, where there are some, are lines across.
        stacked: Areas upon each other, for parts of a whole.
        bars: One for each bucket, for what is counted; it begins where the bucket does.
        steps: A value holds until the next one.
        shortest: The width of a bucket at the least; what is measured less often has no finer one.
    """
    stacking = common.StackingMode.NORMAL if stacked else common.StackingMode.NONE
    lines = common.GraphThresholdsStyleMode.DASHED if look.thresholds else common.GraphThresholdsStyleMode.OFF
    return _panel(
        "timeseries",
        title,
        description,
        queries,
        timeseries.Options(
            legend=_legend(),
            tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING),
        ),
        look.defaults(
            unit,
            colours.by_name(),
            timeseries.FieldConfig(
                draw_style=common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE,
                bar_alignment=common.BarAlignment.AFTER if bars else None,
                line_interpolation=common.LineInterpolation.STEP_AFTER if steps else common.LineInterpolation.LINEAR,
                line_width=0 if stacked else 1,
                fill_opacity=60 if stacked or bars else 8,
                show_points=common.VisibilityMode.NEVER,
                span_nulls=False,
                axis_placement=common.AxisPlacement.AUTO,
                stacking=common.StackingConfig(mode=stacking, group="A"),
                thresholds_style=common.GraphThresholdsStyleConfig(mode=lines),
            ),
        ),
        look.overrides,
        shortest,
    )


def state_timeline(
    title: str, description: str, sql: Sql, look: Look, *, unit: str = "none", shortest: str = SHORTEST
) -> Panel:
    """A bar for each series, in the colour of its state; a state holds until the next one."""
    return _panel(
        "state-timeline",
        title,
        description,
        [sql],
        statetimeline.Options(
            show_value=common.VisibilityMode.AUTO,
            row_height=0.85,
            merge_values=True,
            align_value=common.TimelineValueAlignment.LEFT,
            legend=_legend(),
            tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE),
        ),
        look.defaults(
            unit, colours.by_threshold(), statetimeline.FieldConfig(fill_opacity=80, line_width=0, span_nulls=True)
        ),
        look.overrides,
        shortest,
    )


def bar_gauge(title: str, description: str, unit: str, sql: Sql, look: Look = _PLAIN) -> Panel:
    """A bar for each row of a table: a text column says which, a numeric one how much."""
    return _panel(
        "bargauge",
        title,
        description,
        [sql],
        bargauge.Options(
            display_mode=common.BarGaugeDisplayMode.BASIC,
            value_mode=common.BarGaugeValueMode.TEXT,
            name_placement=common.BarGaugeNamePlacement.AUTO,
            orientation=common.VizOrientation.HORIZONTAL,
            show_unfilled=True,
            reduce_options=common.ReduceDataOptions(values=True, calcs=[], fields="", limit=100),
        ),
        look.defaults(unit, colours.by_threshold()),
        look.overrides,
    )


def heat_map(
    title: str, description: str, unit: str, sql: Sql, *, bands: str = "short", shortest: str = SHORTEST_NODES
) -> Panel:
    """How many of something are in each band, over time: a numeric column for each band, from the lowest up.

    Args:
        title: A few words.
        description: What it answers.
        unit: Of the counts.
        sql: Columns are named as the bands are.
        bands: The unit of the bands, where their names are numbers.
        shortest: The width of a column at the least.
    """
    return _panel(
        "heatmap",
        title,
        description,
        [sql],
        heatmap.Options(
            calculate=False,
            color=heatmap.HeatmapColorOptions(
                mode=heatmap.HeatmapColorMode.SCHEME,
                scheme="Blues",
                fill="blue",
                scale=heatmap.HeatmapColorScale.EXPONENTIAL,
                exponent=0.5,
                steps=64,
                reverse=True,
            ),
            cell_gap=1,
            cell_values=heatmap.CellValues(unit=unit),
            rows_frame=heatmap.RowsHeatmapOptions(layout=common.HeatmapCellLayout.AUTO),
            tooltip=heatmap.HeatmapTooltip(
                mode=common.TooltipDisplayMode.SINGLE, y_histogram=False, show_color_scale=True
            ),
            y_axis=heatmap.YAxisConfig(unit=bands, axis_placement=common.AxisPlacement.LEFT),
        ),
        FieldConfig(
            unit=unit,
            custom=heatmap.FieldConfig(
                scale_distribution=common.ScaleDistributionConfig(type_val=common.ScaleDistribution.LINEAR),
                hide_from=common.HideSeriesConfig(),
            ),
        ),
        shortest=shortest,
    )


def _panel(  # one place where a panel is put together
    kind: str,
    title: str,
    description: str,
    queries: Sequence[Sql],
    options: object,
    defaults: FieldConfig,
    overrides: Sequence[Override] = (),
    shortest: str | None = None,
) -> Panel:
    return Panel(
        type_val=kind,
        title=title,
        description=description,
        datasource=SOURCE,
        targets=list(queries),
        options=options,
        field_config=FieldConfigSource(defaults=defaults, overrides=list(overrides)),
        interval=shortest,
    )


def _legend() -> common.VizLegendOptions:
    return common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.LIST,
        placement=common.LegendPlacement.BOTTOM,
        show_legend=True,
        calcs=[],
    )
