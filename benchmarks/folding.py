"""What the site machine takes for a reading, step by step, in one process and without Kafka: where to look first.

    python -m benchmarks.folding [--rows N ...] [--json]

A site of 6,144 nodes sends frames of so many readings each second. Timed are decoding (reading the Arrow stream,
knowing the roster, checking and converting the columns), holding the rows until their tick, closing the tick (folding
and sampling), and writing the node frames and the snapshot of a checkpoint. Times are the least of all seconds. Node
frames are due every ten seconds and checkpoints every five, and are counted so.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from benchmarks.fleets import uniform_fleet
from benchmarks.machine import machine
from models.catalogue import shipped_catalogue
from models.record import Record
from models.telemetry import Readings, TelemetryDecoder
from models.topics import TELEMETRY
from streams.simulator.telemetry import telemetry
from twin.node_frames import node_frames
from twin.rules import Rules
from twin.site import SiteTwin

NODES = 6144
SECONDS = 30
START = 1_767_225_600_000
ROWS = (256, 1024, 2048)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one step, for frames of so many readings."""

    rows: int
    step: str
    microseconds: float
    """Once."""
    seconds_per_million: float
    """Of readings, taken as often as it is due."""


@dataclass
class Watch:
    """The least time that each step has taken, in seconds."""

    least: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, step: str) -> Iterator[None]:
        """Time the block."""
        began = time.perf_counter()
        yield
        took = time.perf_counter() - began
        self.least[step] = min(took, self.least.get(step, took))


def costs(rows: int) -> list[Cost]:
    """Of all steps."""
    catalogue, watch = shipped_catalogue(), Watch()
    decoder, site = TelemetryDecoder(catalogue), SiteTwin("site-000", Rules(), catalogue)
    for step in telemetry(uniform_fleet(NODES, 1, frame_rows=rows), START, catalogue, SECONDS):
        records = [record for record in step.records if record.topic == TELEMETRY]
        for sent in records:
            record = Record(TELEMETRY, 0, 0, step.at, sent.key, sent.value, sent.headers)
            with watch.timing("decode a frame"):
                decoded = decoder.decode(record)
            assert isinstance(decoded, Readings)
            with watch.timing("hold its rows"):
                site.observe(decoded.columns, step.at)
        if records:
            with watch.timing("close a tick"):
                site.close(step.at)
            with watch.timing("write node frames"):
                list(node_frames(site, step.at, 0))
            with watch.timing("take a snapshot"):
                site.snapshot()
    frames = NODES / rows
    often = {"decode a frame": frames, "hold its rows": frames, "write node frames": 0.1, "take a snapshot": 0.2}
    return [
        Cost(rows, step, round(took * 1e6, 1), round(took * often.get(step, 1.0) / NODES * 1e6, 3))
        for step, took in watch.least.items()
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, nargs="+", default=ROWS, help="readings in a frame; 6,144 in whole frames")
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args()
    found = [cost for rows in chosen.rows for cost in costs(rows)]
    if chosen.json:
        print(json.dumps({"machine": machine(), "costs": [asdict(cost) for cost in found]}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"{'rows':>6}  {'':20}{'microseconds':>14}{'CPU s per million':>20}")
    for cost in found:
        print(f"{cost.rows:>6}  {cost.step:20}{cost.microseconds:>14,.1f}{cost.seconds_per_million:>20.3f}")


if __name__ == "__main__":
    main()
