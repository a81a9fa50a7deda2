"""What would be sent, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from models.meter_reading import MeterReading
from models.node_event import NodeEvent
from models.reading import Reading
from models.wording import printable
from streams.publish.folding import Told
from streams.publish.parcels import json_of

_UNKNOWN = "-"


def json_list(told: Told) -> bytes:
    """The readings as a JSON list, each as it would be sent by itself."""
    readings = b",\n".join(map(json_of, told.readings))
    return b"[" + readings + b"]"


def readings_table(told: Told) -> Table:
    """A line for each reading."""
    table = Table(box=None, pad_edge=False)
    for name in ("site", "node", "rack", "type", "state"):
        table.add_column(name)
    for name in ("in service", "allocated", "watts", "by", "busy", "hottest", "memory used"):
        table.add_column(name, justify="right")
    for reading in told.readings:
        table.add_row(*map(printable, _cells(reading)))
    return table


def other_lines(told: Told) -> Iterator[str]:
    """Events and meters, a line each."""
    for event in told.events:
        yield printable(_event(event))
    for meter in told.meters:
        yield printable(_meter(meter))


def _cells(reading: Reading) -> Iterator[str]:
    each = reading.accelerators
    yield from (reading.site, reading.node, reading.rack or _UNKNOWN, reading.type, reading.state.value)
    yield f"{reading.in_service}/{reading.installed}"
    yield _UNKNOWN if reading.allocated is None else str(reading.allocated)
    yield _watts(reading)
    yield _UNKNOWN if reading.power_method is None else reading.power_method.value.replace("_", " ")
    yield _mean(None if each is None else each.utilization)
    yield _most(None if each is None else each.temperature_celsius)
    yield _sum(None if each is None else each.memory_used_bytes)


def _watts(reading: Reading) -> str:
    """The node's, or the sum of its accelerators' as what it is: no reading has that sum."""
    if reading.power_watts is not None:
        return f"{reading.power_watts:,.0f}"
    boards = [one for one in (reading.accelerators and reading.accelerators.power_watts) or () if one is not None]
    return f"boards {sum(boards):,.0f}" if boards else _UNKNOWN


def _mean(values: tuple[float | None, ...] | None) -> str:
    known = [value for value in values or () if value is not None]
    return f"{sum(known) / len(known):.0%}" if known else _UNKNOWN


def _most(values: tuple[float | None, ...] | None) -> str:
    known = [value for value in values or () if value is not None]
    return f"{max(known):.0f} °C" if known else _UNKNOWN


def _sum(values: tuple[int | None, ...] | None) -> str:
    known = [value for value in values or () if value is not None]
    return f"{sum(known) / 2**30:,.1f} GiB" if known else _UNKNOWN


def _event(event: NodeEvent) -> str:
    where = "" if event.accelerator is None else f", accelerator {event.accelerator}"
    word = event.detail or " ".join(reason.value for reason in event.reasons) or str(event.code)
    return f"event: {event.site}/{event.node}{where}: {event.kind.value} {event.change.value}: {word}"


def _meter(meter: MeterReading) -> str:
    watts = _UNKNOWN if meter.power_watts is None else f"{meter.power_watts:,.0f} W"
    return f"meter: {meter.site}/{meter.meter} ({meter.level.value}): {watts}"
