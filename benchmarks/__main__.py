"""The standard set of measurements: `make bench`, under a quarter of an hour; `make bench-long` takes its time.

    python -m benchmarks [--json FILE] [--long]

Works on servers of its own. Prints a table, and writes all figures as JSON where a file is named.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from benchmarks.ending import ended
from benchmarks.report import table
from benchmarks.stage import servers
from benchmarks.suite import LONG, STANDARD, Suite


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    options.add_argument("--long", action="store_true", help="ten minutes of the million, how costs grow, disk")
    chosen = options.parse_args()
    with servers() as stage:
        report = Suite(stage, LONG if chosen.long else STANDARD).run()
    if chosen.json is not None:
        chosen.json.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    print(table(report))
    if report["failed"]:
        sys.exit("not measured: " + "; ".join(report["failed"]))


if __name__ == "__main__":
    ended(main, "benchmarks")
