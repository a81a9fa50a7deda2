"""`fleettwin traces`: public measurements as logs to replay."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from infra.recordlog import LogHeader, LogWriter
from models.errors import ConfigurationError
from models.instants import instant_of
from twin.rules import Rules

MLPERF = "mlperf"
HELIOS = "helios"
ALIBABA = "alibaba"

app = typer.Typer(no_args_is_help=True, help=__doc__)
shown = typer.Typer(no_args_is_help=True, help="Show the runs in a folder of a collection.")
converted = typer.Typer(no_args_is_help=True, help="Write a run of a collection as a log.")
app.add_typer(shown, name="list")
app.add_typer(converted, name="convert")


class Measured(StrEnum):
    """Where power was measured: at the wall, or behind the power supplies."""

    AC = "ac"
    DC = "dc"


Folder = Annotated[Path, typer.Argument(help="With node_power.csv.gz in it.")]


@shown.command(MLPERF)
def list_mlperf(folder: Folder) -> None:
    """Node power of MLPerf Training runs."""
    from streams.traces.mlperf import read_trace  # noqa: PLC0415  # pyarrow takes long to import

    for run in read_trace(folder).runs():
        typer.echo(f"{run.name:<32} {run.nodes:>4} nodes {run.samples:>8} samples")


@converted.command(MLPERF)
def convert_mlperf(
    folder: Folder,
    run: Annotated[str, typer.Option("--run", help="A name that `fleettwin traces list` shows.")],
    out: Annotated[Path, typer.Option("--out", help="The log to write; it must not be there yet.")],
    kind: Annotated[Measured, typer.Option("--kind", help="Measured at the wall, or behind the supplies.")] = (
        Measured.AC
    ),
    site: Annotated[str, typer.Option("--site", help="What to call the site.")] = "smc",
    supply_mw: Annotated[
        float | None, typer.Option("--supply-mw", min=0, help="What the site may draw; without it, no site facts.")
    ] = None,
    pue: Annotated[float, typer.Option("--pue", min=1, max=5, help="Of the site; needs --supply-mw.")] = 1.0,
) -> None:
    """Node power of an MLPerf Training run: readings as frames, with a clock each second."""
    from streams.traces import mlperf  # noqa: PLC0415  # pyarrow takes long to import
    from streams.traces.stream import TraceSite, trace_records  # noqa: PLC0415

    if pue != 1.0 and supply_mw is None:
        raise ConfigurationError("--pue", pue, "--supply-mw with it")
    trace = mlperf.read_trace(folder)
    power = trace.power(trace.run(run), mlperf.Kind(kind))
    about = TraceSite(
        site=site,
        type=mlperf.TYPE,
        accelerators=mlperf.ACCELERATORS,
        source=f"traces/{MLPERF}/{run}/{kind}",
        supply_watts=None if supply_mw is None else supply_mw * 1e6,
        pue=pue,
    )
    header = LogHeader(
        created_by=f"fleettwin {version('fleettwin')} traces convert",
        rules={"trace": MLPERF, "run": run, "kind": kind, "site": site},
    )
    with LogWriter(out, header) as log:
        for record in trace_records(power, about):
            log.append(record)
    typer.echo(
        f"{out}: {len(power.at)} readings of {len(power.nodes)} nodes in {log.records} records,"
        f" {out.stat().st_size} bytes"
    )


@converted.command(HELIOS)
def convert_helios(
    folder: Annotated[Path, typer.Argument(help="With vc*.csv.gz or vc*.csv in it, a file for each tenant.")],
    out: Annotated[Path, typer.Option("--out", help="The log to write; it must not be there yet.")],
    tenants: Annotated[
        list[str] | None, typer.Option("--tenant", help="As its file is called; may be repeated. Without it, all.")
    ] = None,
    begin: Annotated[
        datetime | None, typer.Option("--from", help="The first minute wanted, UTC.", show_default=False)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", help="The first minute not wanted any more, UTC.", show_default=False)
    ] = None,
) -> None:
    """Capacity and demand of tenants by minute: each tenant a site and a demand, with a clock each minute.

    The log is meant for a twin with a tick of a minute and nodes that repeat themselves every half hour. What to set
    for that is told in the end, and stands in the log's header.
    """
    from streams.traces import helios  # noqa: PLC0415  # pyarrow takes long to import
    from streams.traces.inventory import inventory_records  # noqa: PLC0415

    found = helios.read_tenants(folder, tenants or (), _instant(begin), _instant(until))
    header = LogHeader(
        created_by=f"fleettwin {version('fleettwin')} traces convert",
        rules={"trace": HELIOS, "tenants": [tenant.name for tenant in found], **asdict(helios.RULES)},
    )
    with LogWriter(out, header) as log:
        for record in inventory_records(helios.tenant_steps(found), f"traces/{HELIOS}", helios.RULES.tick):
            log.append(record)
    typer.echo(
        f"{out}: {sum(len(tenant.minutes) for tenant in found)} minutes of {len(found)} tenants"
        f" in {log.records} records, {out.stat().st_size} bytes"
    )
    typer.echo(f"meant for {_settings(helios.RULES)}")


@converted.command(ALIBABA)
def convert_alibaba(
    nodes: Annotated[Path, typer.Option("--nodes", help="CSV of the nodes, plain or gzipped.")],
    pods: Annotated[Path, typer.Option("--pods", help="CSV of the pods, plain or gzipped.")],
    out: Annotated[Path, typer.Option("--out", help="The log to write; it must not be there yet.")],
    catalogue: Annotated[
        Path | None,
        typer.Option(
            "--catalogue",
            help="Where entries go for GPU models that the shipped catalogue does not know; beside the log if unset.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """A cluster of mixed GPUs that fills: pods as demands in the order of their creation, packed by best fit.

    What a twin needs to know of the GPU models is written beside the log; which setting reads it is told in the end.
    """
    from streams.traces import alibaba  # noqa: PLC0415  # pyarrow takes long to import
    from streams.traces.filling import Filling  # noqa: PLC0415
    from streams.traces.gpu_models import catalogue_text  # noqa: PLC0415
    from streams.traces.inventory import inventory_records  # noqa: PLC0415

    cluster, arrivals = alibaba.read_nodes(nodes), alibaba.read_pods(pods)
    filling = Filling(cluster)
    entries = catalogue_text(alibaba.models_of(cluster, arrivals), cluster)
    beside = (catalogue or out.with_name(f"{out.name}.catalogue.yaml")) if entries else None
    if beside is not None and beside.exists():
        raise ConfigurationError("--catalogue", str(beside), "a file that is not there yet")
    header = LogHeader(
        created_by=f"fleettwin {version('fleettwin')} traces convert",
        rules={"trace": ALIBABA, **asdict(Rules())},
    )
    with LogWriter(out, header) as log:
        if beside is not None:
            _write(beside, entries)
        for record in inventory_records(filling.steps(arrivals), f"traces/{ALIBABA}", Rules().tick):
            log.append(record)
    typer.echo(
        f"{out}: {filling.placed + filling.refused} pods with GPUs, {filling.refused} of them not placed,"
        f" in {log.records} records, {out.stat().st_size} bytes"
    )
    if beside is not None:
        typer.echo(f"meant for FLEETTWIN_TWIN__CATALOGUE={beside}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationError("--catalogue", str(path), f"a file that can be made ({error.strerror})") from None


def _instant(moment: datetime | None) -> int | None:
    return None if moment is None else instant_of(moment.replace(tzinfo=moment.tzinfo or UTC))


def _settings(rules: Rules) -> str:
    """The settings of a twin with these rules, where they are not what they would be anyway."""
    usual = asdict(Rules())
    changed = {name: value for name, value in asdict(rules).items() if value != usual[name]}
    return " ".join(f"FLEETTWIN_TWIN__{name.upper()}_MILLISECONDS={value}" for name, value in changed.items())
