"""Node power logged in MLPerf Training v4.0 runs on nodes of eight H100, one file per node, about every two seconds.

The files hold what real senders do: gaps, repeated and reordered times, negative watts, one node's file under another
node's name. All of it is kept as it is.

Source: github.com/mlcommons/training_results_v4.0, Sustainable Metal Cloud, Apache-2.0; gathered into `runs.csv` (one
row per node and run) and `node_power.csv.gz` (one row per sample: kind, nodes, benchmark, run, node, t_ms, power_w).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from models.errors import ConfigurationError
from streams.traces.stream import NodePower

SAMPLES = "node_power.csv.gz"
TYPE = "h100-sxm"
ACCELERATORS = 8

_SUBMISSION = re.compile(r"result_(\d+)-\d+_(.+)")


class Kind(StrEnum):
    """Where it was measured."""

    AC = "ac"
    """At the wall."""
    DC = "dc"
    """Behind the power supplies."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run whose samples are there."""

    nodes: int
    benchmark: str
    run: str
    """As the submission calls it."""
    samples: int
    """Of all nodes, at the wall."""

    @property
    def name(self) -> str:
        """For people: `64/gpt3/5848-2` is a run on 64 nodes."""
        found = _SUBMISSION.fullmatch(self.run)
        return f"{self.nodes}/{self.benchmark}/{'-'.join(found.groups()) if found else self.run}"


@dataclass(frozen=True, slots=True)
class Trace:
    """A folder with the samples, read."""

    samples: pa.Table

    def runs(self) -> tuple[Run, ...]:
        """The runs in it, small ones first."""
        wall = self.samples.filter(pc.equal(self.samples["kind"], Kind.AC.value))
        groups = wall.group_by(["nodes", "benchmark", "run"]).aggregate([([], "count_all")]).to_pylist()
        runs = [Run(row["nodes"], row["benchmark"], row["run"], row["count_all"]) for row in groups]
        return tuple(sorted(runs, key=lambda run: (run.nodes, run.benchmark, run.run)))

    def run(self, name: str) -> Run:
        """The run of that name.

        Raises:
            ConfigurationError: there is none, with the names that come close.
        """
        named = {run.name: run for run in self.runs()}
        if name not in named:
            close = get_close_matches(name, named, cutoff=0.4) or list(named)
            raise ConfigurationError("--run", name, f"one of those in the trace, such as {', '.join(close)}")
        return named[name]

    def power(self, run: Run, kind: Kind) -> NodePower:
        """What the nodes of a run wrote, node by node.

        A reading's sequence is its row in the node's file, so every row stays a reading of its own. That holds for a
        row that repeats the time and the watts of another: the logger wrote it, so the node sent it. Told apart by
        its sequence it is taken as one more reading of the same instant, and since no time passes between the two,
        neither power nor energy is counted twice.
        """
        here = self.samples.filter(
            pc.and_kleene(
                pc.and_kleene(pc.equal(self.samples["kind"], kind.value), pc.equal(self.samples["run"], run.run)),
                pc.and_kleene(
                    pc.equal(self.samples["nodes"], run.nodes), pc.equal(self.samples["benchmark"], run.benchmark)
                ),
            )
        )
        numbers, node = np.unique(_column(here, "node"), return_inverse=True)
        sequence = np.zeros(len(node), dtype=np.int64)
        for place in range(len(numbers)):
            rows = np.flatnonzero(node == place)
            sequence[rows] = np.arange(len(rows))
        return NodePower(
            nodes=tuple(f"node-{number:02d}" for number in numbers.tolist()),
            node=node.astype(np.int64),
            at=_column(here, "t_ms"),
            sequence=sequence,
            power_watts=_column(here, "power_w"),
        )


def read_trace(folder: Path) -> Trace:
    """Read the samples in a folder.

    Raises:
        ConfigurationError: they are not there, or are not what they should be.
    """
    kinds = {
        "kind": pa.string(),
        "nodes": pa.int64(),
        "benchmark": pa.string(),
        "run": pa.string(),
        "node": pa.int64(),
        "t_ms": pa.int64(),
        "power_w": pa.float64(),
    }
    path = folder / SAMPLES
    if not path.is_file():
        raise ConfigurationError("the folder of the trace", str(folder), f"a folder with {SAMPLES}")
    options = csv.ConvertOptions(column_types=kinds, include_columns=list(kinds))
    try:
        table = csv.read_csv(path, convert_options=options)
    except (pa.ArrowException, KeyError, OSError) as error:
        said = str(error).partition("\n")[0]
        raise ConfigurationError(str(path), said, f"CSV with {', '.join(kinds)}") from None
    return Trace(table)


def _column(table: pa.Table, name: str) -> Any:
    return table[name].to_numpy()
