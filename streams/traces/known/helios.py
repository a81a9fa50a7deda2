"""Capacity and demand of 16 tenants of a GPU datacentre of SenseTime, minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from models.instants import instant_of
from streams.traces.trace import Argument, Conversion, Listed, Option, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Whose minutes, and which."""

    folder: Annotated[Path, Argument("With vc*.csv or vc*.csv.gz in it, a file for each tenant.")]
    tenants: Annotated[
        list[str] | None, Option("--tenant", "As its file is called; may be repeated. Without it, all.")
    ] = None
    begin: Annotated[datetime | None, Option("--from", "The first minute wanted, UTC.")] = None
    until: Annotated[datetime | None, Option("--until", "The first minute not wanted any more, UTC.")] = None


def runs(folder: Path) -> Sequence[Listed]:
    """The tenants whose files are there."""
    from streams.traces.helios import read_tenants  # noqa: PLC0415  # pyarrow takes long to import

    return [
        Listed(tenant.name, f"{len(tenant.minutes):>8} minutes {max(one.capacity for one in tenant.minutes):>6} GPUs")
        for tenant in read_tenants(folder)
    ]


def convert(choice: Choice) -> Conversion:
    """Capacity and demand of tenants by minute: each tenant a site and a demand, with a clock each minute.

    The log is meant for a twin with a tick of a minute and nodes that repeat themselves every half hour. What to set
    for that is told in the end, and stands in the log's header.
    """
    from streams.traces import helios  # noqa: PLC0415  # pyarrow takes long to import
    from streams.traces.inventory import inventory_records  # noqa: PLC0415

    found = helios.read_tenants(choice.folder, choice.tenants or (), _instant(choice.begin), _instant(choice.until))
    minutes = sum(len(tenant.minutes) for tenant in found)
    return Conversion(
        header={"tenants": [tenant.name for tenant in found]},
        records=inventory_records(helios.tenant_steps(found), "traces/helios", helios.RULES.tick),
        summary=lambda: f"{minutes} minutes of {len(found)} tenants",
        rules=helios.RULES,
    )


def _instant(moment: datetime | None) -> int | None:
    return None if moment is None else instant_of(moment.replace(tzinfo=moment.tzinfo or UTC))


HELIOS = Trace(
    name="helios",
    title="capacity and demand of 16 tenants by minute, cluster Earth of Helios, SenseTime",
    source="https://github.com/S-Lab-System-Group/HeliosArtifact",
    licence="MIT",
    files="vc*.csv or vc*.csv.gz, or Earth_vcs' folders vc*",
    choices=Choice,
    runs=runs,
    convert=convert,
)
