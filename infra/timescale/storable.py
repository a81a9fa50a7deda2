"""Whether the database can hold what a record says: others may send what only looks like one of our records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc
from pydantic import BaseModel

from models.instants import LAST
from models.names import usable
from models.node_frame import NodeFrame
from models.pipeline import PipelineSample

_INT8 = 2**63
_YEARS = range(2000, 3000)
_SUMMED = ("power_milliwatts", "memory_used_bytes")
_MOST_OF_A_NODE = 2**53
"""Milliwatts or bytes; the sum over a minute must be one that an int8 holds."""


def storable(told: BaseModel) -> bool:
    """Whether its numbers and texts are such as tables hold."""
    return all(map(_fits, _values(told)))


def recent(sample: PipelineSample) -> bool:
    """Whether its times are such as a worker's clock says."""
    return sample.at.year in _YEARS and sample.since.year in _YEARS


def _values(told: object) -> Iterator[object]:
    """All that is in a record, however deep."""
    match told:
        case BaseModel():
            for _, value in told:
                yield from _values(value)
        case tuple():
            for value in told:
                yield from _values(value)
        case _:
            yield told


def _fits(value: object) -> bool:
    match value:
        case int():
            return -_INT8 <= value < _INT8
        case str():
            return "\0" not in value
        case _:
            return True


def storable_frame(frame: NodeFrame) -> bool:
    """Whether its names are texts, its times such as a calendar holds, and its figures such as can be added up."""
    batch = frame.batch
    if not usable(frame.site) or not 0 <= frame.tick <= LAST:
        return False
    if batch.num_rows == 0:
        return True
    texts = (batch.column("node"), batch.column("rack").dictionary, batch.column("type").dictionary)
    if batch.column("node").null_count or any(pc.any(pc.match_substring(text, "\0")).as_py() for text in texts):
        return False
    return _within(batch.column("at"), 0, LAST) and all(
        _within(batch.column(name), -_MOST_OF_A_NODE, _MOST_OF_A_NODE) for name in _SUMMED
    )


def _within(column: Any, least: int, most: int) -> bool:
    first, last = pc.min_max(column).as_py().values()
    return first is None or (first >= least and last <= most)
