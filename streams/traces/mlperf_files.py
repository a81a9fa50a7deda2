"""The power logs of a node as MLPerf has them: a file per node and run, a line of MLLOG per sample.

    smc-ac-power/results/64xSMC-H100-SXM-80GB/gpt3/power/result_5848-240517221859825376616_2/node_11.txt
    :::MLLOG {"namespace": "", "time_ms": 1715960308526, ..., "key": "power_reading", "value": 4769, "metadata": ""}

Lines end in CR LF. Those of other keys say when the measuring began and ended, and are no samples; text that is not of
MLLOG is passed over, as MLPerf's own parser does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import orjson

from models.errors import ConfigurationError
from streams.traces.measured import Measured

LIKE = "smc-ac-power/results/*/*/power/*/node_*.txt"
"""Where such files are, for people; those behind the supplies are in smc-dc-power."""

_FILES = "smc-[ad]c-power/results/*/*/power/*/node_*.txt"
_PLACE = re.compile(r"smc-(ac|dc)-power/results/(\d+)x[^/]*/([^/]+)/power/([^/]+)/node_(\d+)\.txt")
_LINE = re.compile(rb"\s*:{2,3}MLLOG (.*)", re.DOTALL)
_READING = "power_reading"
_LATEST = 4_102_444_800_000
"""The year 2100, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A node's file, and what its place says of it."""

    path: Path
    kind: Measured
    nodes: int
    benchmark: str
    run: str
    node: int


def node_files(folder: Path) -> list[NodeFile]:
    """The files of all nodes of all runs below a folder, the nodes of a run in the order of their numbers."""
    found = []
    for path in folder.glob(_FILES):
        place = _PLACE.fullmatch(path.relative_to(folder).as_posix())
        if place is not None:
            kind, nodes, benchmark, run, node = place.groups()
            found.append(NodeFile(path, Measured(kind), int(nodes), benchmark, run, int(node)))
    return sorted(found, key=lambda file: (file.kind, file.nodes, file.benchmark, file.run, file.node))


def read_node_file(path: Path) -> tuple[list[int], list[float]]:
    """The samples of a file as they stand there: milliseconds since 1970, and watts.

    Raises:
        ConfigurationError: naming the file and the line that is no sample and no other line of MLLOG.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(str(path), error.strerror, "a file that can be read") from None
    at, watts = [], []
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        try:
            said = orjson.loads(found[1])
            if said["key"] == _READING:
                at.append(_instant(said["time_ms"]))
                watts.append(_watts(said["value"]))
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            shown = line[:200].decode(errors="replace")
            raise ConfigurationError(f"{path}: line {number}", shown, f"a line of MLLOG ({error})") from None
    if not at:
        raise ConfigurationError(str(path), f"{len(lines)} lines", f"lines of MLLOG with {_READING}")
    return at, watts


def _instant(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LATEST:
        raise TypeError("time_ms is no time in milliseconds since 1970")
    return value


def _watts(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("value is no number")
    return float(value)
