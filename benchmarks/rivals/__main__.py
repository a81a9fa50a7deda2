"""Ours beside others, on the same readings, machine and servers, with the same result checked.

    python -m benchmarks.rivals [--frame-rows 8192] [--json]

A simulated fleet of a million accelerators, 125,000 nodes at 20 sites, each reporting once a second, is written to
Kafka as frames; the readings of some sites are written a second time, one by one as JSON, for those who read records.
Each contestant reads its topic to the end, alone; what it says each site drew in each second must be what our ledger
says. Compared are readings per CPU second of a contestant's own processes, from when it has its partitions:

    twin             our twin: folds frames, samples sites, states the fleet, looks for shortages, stores checkpoints
    twin and store   and a row of each node every ten seconds, of each site every second, in TimescaleDB
    faust            idiomatic Faust: JSON, a table updated for each record
    quix             Quix Streams: the same
    telegraf         a row for each reading in the same database, nothing else (`python -m benchmarks.rivals.telegraf`)
    ceiling          aiokafka, NumPy and COPY by hand, nothing checked and nothing kept: what cannot be beaten
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace

from benchmarks.ending import ended
from benchmarks.machine import machine
from benchmarks.report import ABSENT
from benchmarks.rivals.comparison import WHOLE, Comparison, Run, compared
from benchmarks.stage import servers


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="for programs")
    options.add_argument("--frame-rows", type=int, default=WHOLE.frame_rows, help="readings in a frame, at most")
    chosen = options.parse_args()
    as_json, found = chosen.json, machine()
    with servers() as stage:
        comparison = compared(stage, replace(WHOLE, frame_rows=chosen.frame_rows))
    if as_json:
        print(json.dumps({"machine": found, **told(comparison)}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in found.items()))
    print(table(comparison))


def told(comparison: Comparison) -> dict[str, object]:
    """For programs."""
    figures = [(run, run.readings_per_cpu_second) for run in comparison.runs]
    runs = [
        {**asdict(run), "readings_per_cpu_second": None if figure is None else round(figure)} for run, figure in figures
    ]
    return {**asdict(comparison), "runs": runs}


def table(comparison: Comparison) -> str:
    """For people."""
    lines = [f"{'':16}{'readings':>12}{'CPU s':>10}{'readings / CPU s':>18}{'Kafka CPU s':>14}{'database CPU s':>16}"]
    lines += [
        f"{run.contestant:16}{run.readings:>12,}{run.cpu_seconds:>10.2f}{_figure(run):>18}"
        f"{run.kafka_cpu_seconds:>14.2f}{run.database_cpu_seconds:>16.2f}"
        for run in comparison.runs
    ]
    lines += [f"not compared: {why}" for why in comparison.missing.values()]
    quotients = [f"{name} {ratio:g}" for name, ratio in comparison.ratios.items() if ratio is not None]
    return "\n".join([*lines, f"ours divided by theirs, readings per CPU second: {', '.join(quotients)}"])


def _figure(run: Run) -> str:
    figure = run.readings_per_cpu_second
    return ABSENT if figure is None else f"{figure:,.0f}"


if __name__ == "__main__":
    ended(main, "benchmarks.rivals")
