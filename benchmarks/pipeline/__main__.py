"""Runs the million accelerators, or so many times as many, through the whole pipeline.

python -m benchmarks.pipeline --seconds 60
python -m benchmarks.pipeline --factor 2
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.ending import ended
from benchmarks.fleets import scaled
from benchmarks.machine import machine
from benchmarks.pipeline.profiling import told
from benchmarks.pipeline.running import ran
from benchmarks.stage import servers
from models.scenario import load_scenario

MILLION = "million"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--factor", type=float, default=1.0, help="times 125,000 nodes")
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--profile", type=Path, metavar="FOLDER", help="look at twin, store and simulator with py-spy")
    chosen = options.parse_args()
    fleet = load_scenario(MILLION) if chosen.factor == 1 else scaled(load_scenario(MILLION), chosen.factor)
    with servers() as stage:
        run = ran(stage, fleet, chosen.seconds, chosen.profile)
    print(json.dumps({"machine": machine(), "run": run.report()}, indent=2))
    if chosen.profile is not None:
        print("\n".join(told(chosen.profile)))


if __name__ == "__main__":
    ended(main, "benchmarks.pipeline")
