"""Node power logged in MLPerf Training v4.0 runs on nodes of eight H100, one file per node, about every two seconds.

The files hold what real senders do: gaps, repeated and reordered times, negative watts, one node's file under another
node's name. All of it is kept as it is.

Source: github.com/mlcommons/training_results_v4.0, Sustainable Metal Cloud, Apache-2.0. A folder holds these files as
they are there (`streams.traces.mlperf_files`), or gathered into `node_power.csv.gz`: one row per sample, with kind,
nodes, benchmark, run, node, t_ms and power_w.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from models.errors import ConfigurationError
from streams.traces.measured import Measured
from streams.traces.mlperf_files import LIKE, NodeFile, node_files, read_node_file
from streams.traces.stream import NodePower

GATHERED = "node_power.csv.gz"
TYPE = "h100-sxm"
ACCELERATORS = 8

COLUMNS = {
    "kind": pa.string(),
    "nodes": pa.int64(),
    "benchmark": pa.string(),
    "run": pa.string(),
    "node": pa.int64(),
    "t_ms": pa.int64(),
    "power_w": pa.float64(),
}

_SUBMISSION = re.compile(r"result_(\d+)-\d+_(.+)")


@dataclass(frozen=True, slots=True)
class Run:
    """A run whose samples are there."""

    nodes: int
    benchmark: str
    run: str
    """As the submission calls it."""
    samples: int
    """Of all nodes, at the wall where that was measured."""

    @property
    def name(self) -> str:
        """For people: `64/gpt3/5848-2` is a run on 64 nodes."""
        found = _SUBMISSION.fullmatch(self.run)
        return f"{self.nodes}/{self.benchmark}/{'-'.join(found.groups()) if found else self.run}"


@dataclass(frozen=True, slots=True)
class Samples:
    """What all nodes of all runs in a folder wrote."""

    rows: pa.Table
    """As `COLUMNS` says; the rows of a node stand in the order in which it wrote them."""

    def runs(self) -> tuple[Run, ...]:
        """The runs in it, small ones first."""
        groups = self.rows.group_by(["nodes", "benchmark", "run", "kind"]).aggregate([([], "count_all")]).to_pylist()
        found = {}
        for row in sorted(groups, key=lambda group: group["kind"], reverse=True):  # the wall is the last word
            run = Run(row["nodes"], row["benchmark"], row["run"], row["count_all"])
            found[run.name] = run
        return tuple(sorted(found.values(), key=lambda run: (run.nodes, run.benchmark, run.run)))

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

    def power(self, run: Run, kind: Measured) -> NodePower:
        """What the nodes of a run wrote, node by node.

        A reading's sequence is its row in the node's file, so every row stays a reading of its own. That holds for a
        row that repeats the time and the watts of another: the logger wrote it, so the node sent it. Told apart by
        its sequence it is taken as one more reading of the same instant, and since no time passes between the two,
        neither power nor energy is counted twice.

        Raises:
            ConfigurationError: the run was not measured there.
        """
        here = self.rows.filter(
            pc.and_kleene(
                pc.and_kleene(pc.equal(self.rows["kind"], kind.value), pc.equal(self.rows["run"], run.run)),
                pc.and_kleene(pc.equal(self.rows["nodes"], run.nodes), pc.equal(self.rows["benchmark"], run.benchmark)),
            )
        )
        if not len(here):
            raise ConfigurationError("--kind", kind.value, f"one that the folder has of {run.name}")
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


def read_samples(folder: Path, run: str | None = None) -> Samples:
    """Read the samples in a folder, of all runs or at least of the one of that name, if it is there.

    Raises:
        ConfigurationError: they are not there, or are not what they should be.
    """
    gathered = folder / GATHERED
    if gathered.is_file():
        return Samples(_read_gathered(gathered))
    files = node_files(folder)
    if not files:
        raise ConfigurationError("the folder of the trace", str(folder), f"a folder with {LIKE}, or with {GATHERED}")
    of_run = [file for file in files if Run(file.nodes, file.benchmark, file.run, 0).name == run]
    return Samples(pa.concat_tables([_rows(file) for file in of_run or files]))


def _read_gathered(path: Path) -> pa.Table:
    options = csv.ConvertOptions(column_types=COLUMNS, include_columns=list(COLUMNS))
    try:
        return csv.read_csv(path, convert_options=options)
    except (pa.ArrowException, KeyError, OSError) as error:
        said = str(error).partition("\n")[0]
        raise ConfigurationError(str(path), said, f"CSV with {', '.join(COLUMNS)}") from None


def _rows(file: NodeFile) -> pa.Table:
    at, watts = read_node_file(file.path)
    of_all = (file.kind.value, file.nodes, file.benchmark, file.run, file.node)
    columns = [
        *(pa.repeat(pa.scalar(value, type_), len(at)) for value, type_ in zip(of_all, COLUMNS.values(), strict=False)),
        pa.array(at, pa.int64()),
        pa.array(watts, pa.float64()),
    ]
    return pa.table(columns, names=list(COLUMNS))


def _column(table: pa.Table, name: str) -> Any:
    return table[name].to_numpy()
