"""The rows that dead letters, and what workers say of their own work, become, in the order of their columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from models.dead_letter import DeadLetter
from models.instants import moment_of
from models.pipeline import PipelineSample


def letter_row(letter: DeadLetter) -> tuple[Any, ...]:
    """The row of `DEAD_LETTERS`."""
    return (
        moment_of(letter.at),
        letter.topic,
        letter.partition,
        letter.offset,
        letter.code,
        letter.detail,
        letter.source_topic,
        letter.source_partition,
        letter.source_offset,
        letter.key,
        letter.rows,
        letter.bytes,
    )


def worker_row(sample: PipelineSample) -> tuple[Any, ...]:
    """The row of `PIPELINE_WORKERS`."""
    return (*_period(sample), sample.rows, sample.resident_bytes, sample.cpu_seconds)


def flow_rows(sample: PipelineSample) -> Iterator[tuple[Any, ...]]:
    """The rows of `PIPELINE_FLOWS`."""
    for flow in sample.flows:
        yield (*_period(sample), flow.topic, flow.partition, flow.records, flow.bytes, flow.lag)


def delay_rows(sample: PipelineSample) -> Iterator[tuple[Any, ...]]:
    """The rows of `PIPELINE_DELAYS`."""
    for delay in sample.delays:
        yield (*_period(sample), str(delay.stage), delay.count, delay.p50, delay.p95, delay.p99, delay.most)


def _period(sample: PipelineSample) -> tuple[Any, ...]:
    return (sample.at, sample.worker, sample.app, sample.since)
