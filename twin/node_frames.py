"""Node frames from a site's table: every node that is not long lost, each `node_interval`, sites not all at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.cloudevents import ARROW, EventType, headers
from models.columns import UNKNOWN as NOT_SAID
from models.columns import UNKNOWN_TEMPERATURE, UNSAID, AcceleratorColumns, AcceleratorMeasure, Codes, Integers
from models.node_frame import COLUMNS, MOST_ACCELERATORS, MOST_ROWS, PowerSource, encode_node_frame
from models.record import Outgoing
from models.topics import NODES
from twin.nodes import NEVER
from twin.rows import Row
from twin.rules import Rules
from twin.site import SiteTwin
from twin.standing import hearing_of, power_source_of


def are_due(site: str, tick: int, rules: Rules) -> bool:
    """Whether the frames of a site are put out at this tick.

    Each site has a tick of its own within the interval, by its name: who writes the rows has something to do all the
    time, instead of everything at once.
    """
    ticks = max(1, rules.node_interval // rules.tick)
    return (tick - zlib.crc32(site.encode()) % ticks * rules.tick) % rules.node_interval == 0


def node_frames(site: SiteTwin, tick: int, partition: int) -> Iterator[Outgoing]:
    """The frames of a site at a tick, its nodes in the order of their names."""
    nodes = site.nodes
    slots = nodes.by_name[_reported(nodes.known, tick, site.rules)[nodes.by_name]]
    for part, some in enumerate(_parts(slots, nodes.accelerators.lengths_of(slots))):
        known = nodes.of(some)
        columns = _columns(known, tick, site.rules)
        columns["node"] = nodes.named(some)
        columns["rack"] = _words(known[Row.RACK], nodes.racks)
        columns["type"] = _words(known[Row.CODE], nodes.catalogue.ids)
        columns |= _lists(nodes.accelerators.of(some))
        identity = f"{site.site}@{tick}/{part}"
        yield Outgoing(
            NODES,
            site.site.encode(),
            encode_node_frame(site.site, tick, part, columns),
            headers(EventType.NODE_FRAME, f"//fleettwin/sites/{site.site}", identity, tick, ARROW),
            identity,
            partition,
        )


def _parts(slots: Integers, lengths: Integers) -> Iterator[Integers]:
    """The nodes of each frame: as many as fit with their accelerators."""
    ends = np.cumsum(lengths)
    start = 0
    while start < slots.size:
        fitting = np.searchsorted(ends, ends[start] - lengths[start] + MOST_ACCELERATORS, side="right")
        stop = min(start + MOST_ROWS, int(fitting))
        yield slots[start:stop]
        start = stop


def _reported(known: Integers, tick: int, rules: Rules) -> NDArray[np.bool_]:
    """Nodes that are not lost, and those lost since the frames before."""
    at = known[Row.AT]
    kept: NDArray[np.bool_] = (at != NEVER) & (at > tick - rules.lost_after - rules.node_interval)
    return kept


def _columns(known: Integers, tick: int, rules: Rules) -> dict[str, Any]:
    hearing = hearing_of(known, tick, rules)
    source = power_source_of(known, hearing)

    def numbers(name: str, values: Integers | Codes, absent: NDArray[np.bool_] | None = None) -> pa.Array:
        return pa.array(values.astype(_KINDS[name]), mask=absent)

    def said(name: str, row: Row, unsaid: int = NOT_SAID) -> pa.Array:
        absent = known[row] == unsaid
        return numbers(name, np.where(absent, 0, known[row]), absent)

    return {
        "at": numbers("at", known[Row.AT]),
        "hearing": numbers("hearing", hearing),
        "state": numbers("state", known[Row.STATE]),
        "installed": numbers("installed", known[Row.INSTALLED]),
        "in_service": numbers("in_service", known[Row.IN_SERVICE]),
        "allocated": said("allocated", Row.ALLOCATED),
        "power_milliwatts": numbers("power_milliwatts", known[Row.DRAWN], source == PowerSource.UNKNOWN.value),
        "power_source": numbers("power_source", source),
        "utilization_ppm": said("utilization_ppm", Row.UTILIZATION),
        "memory_used_bytes": said("memory_used_bytes", Row.MEMORY_USED),
        "temperature_millicelsius": said("temperature_millicelsius", Row.TEMPERATURE, UNKNOWN_TEMPERATURE),
        "energy_joules": numbers("energy_joules", known[Row.JOULES]),
    }


_KINDS = {name: kind.to_pandas_dtype() for name, kind in COLUMNS.items() if pa.types.is_integer(kind)}

_LISTS = {
    "accelerator_utilization_ppm": AcceleratorMeasure.UTILIZATION,
    "accelerator_power_milliwatts": AcceleratorMeasure.POWER,
    "accelerator_memory_used_bytes": AcceleratorMeasure.MEMORY_USED,
    "accelerator_temperature_millicelsius": AcceleratorMeasure.TEMPERATURE,
}


def _lists(accelerators: AcceleratorColumns) -> dict[str, pa.Array]:
    """The measures of each accelerator; null where a node says nothing in one of them."""
    nodes = accelerators.lengths.size
    owners = np.repeat(np.arange(nodes), accelerators.lengths)
    columns = {}
    for name, measure in _LISTS.items():
        values = accelerators.values[measure]
        known = values != UNSAID[measure]
        spoken = np.bincount(owners[known], minlength=nodes) > 0
        if not spoken.any():
            columns[name] = pa.nulls(nodes, COLUMNS[name])
            continue
        kept = spoken[owners]
        flat = pa.array(np.where(known, values, 0)[kept], mask=~known[kept]).cast(COLUMNS[name].value_type)
        ends = np.cumsum(np.where(spoken, accelerators.lengths, 0))
        offsets = pa.array(np.r_[0, ends].astype(np.int32), mask=np.r_[~spoken, False])
        columns[name] = pa.ListArray.from_arrays(offsets, flat)
    return columns


def _words(codes: Integers, words: Sequence[str]) -> pa.DictionaryArray:
    """The words in use, sorted: equal for equal nodes, and few enough for the index, however many a site has."""
    used = np.flatnonzero(np.bincount(codes)).tolist()
    rank = np.zeros(used[-1] + 1, dtype=np.int16)
    ordered = sorted(used, key=words.__getitem__)
    rank[ordered] = np.arange(len(ordered), dtype=np.int16)
    return pa.DictionaryArray.from_arrays(
        pa.array(rank[codes]), pa.array([words[code] for code in ordered], pa.string())
    )
