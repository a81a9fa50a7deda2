"""Power logs in the form in which MLPerf has them, written here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

LINE = ':::MLLOG {{"namespace": "", "time_ms": {}, "event_type": "{}", "key": "{}", "value": {}, "metadata": ""}}\r\n'


def write_node_file(  # what its place says of it
    folder: Path, kind: str, nodes: str, benchmark: str, run: str, node: str, *, samples: Iterable[tuple[int, object]]
) -> Path:
    """A node's file in its place below the folder."""
    path = folder / f"smc-{kind}-power/results/{nodes}xSMC-H100-SXM-80GB/{benchmark}/power/{run}/node_{node}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = list(samples)
    lines = [
        LINE.format(written[0][0], "INTERVAL_START", "power_measurement_start", "null"),
        *(LINE.format(at, "POINT_IN_TIME", "power_reading", watts) for at, watts in written),
        LINE.format(written[-1][0], "INTERVAL_END", "power_measurement_stop", "null"),
    ]
    path.write_bytes("".join(lines).encode())
    return path
