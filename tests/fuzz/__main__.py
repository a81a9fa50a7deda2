"""Fuzzes every decoder of what comes from outside, guided by coverage: `make fuzz ARGS="--cases N --json FILE"`.

    python -m tests.fuzz [--cases N] [--seed S] [--target NAME ...] [--json FILE]
    python -m tests.fuzz --reproduce .fleettwin/fuzz/NAME-HASH

Ends with 1 where a case crashed a decoder, hung it, or took too much memory; such cases lie in .fleettwin/fuzz.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import orjson
import typer

from tests.fuzz.checking import Memory
from tests.fuzz.supervising import Findings, fuzzed
from tests.fuzz.targets import TARGETS

WITHOUT_ATHERIS = (
    "fuzz: atheris is not installed. It has wheels for Linux on x86_64 with Python 3.11 to 3.13; there `make setup` "
    "installs it. The same changes without its guidance are run by `make test ARGS=tests/fuzz`."
)


def main() -> None:
    """Do what the command line asks for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cases", type=int, default=100_000, help="all targets together")
    options.add_argument("--seed", type=int, default=1, help="the same one makes the same cases")
    options.add_argument("--target", nargs="+", choices=TARGETS, default=list(TARGETS), help="only these")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    options.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found")
    options.add_argument(
        "--reproduce", type=Path, metavar="CASE", help="run one case that was kept, and show what it does"
    )
    chosen = options.parse_args()
    if chosen.reproduce is not None:
        reproduce(chosen.reproduce)
        return
    if importlib.util.find_spec("atheris") is None:
        sys.exit(WITHOUT_ATHERIS)
    found = all_fuzzed(chosen.target, chosen.cases, chosen.seed, chosen.jobs)
    report = summary(found, chosen.seed)
    if chosen.json is not None:
        chosen.json.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    typer.echo(table(found, report))
    if report["crashes"] or report["hangs"]:
        sys.exit(1)


def all_fuzzed(names: list[str], cases: int, seed: int, jobs: int) -> list[Findings]:
    """Share the cases out, and run so many targets at a time."""
    shares = sum(TARGETS[name].share for name in names)
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [
            pool.submit(fuzzed, name, TARGETS[name], -(-cases * TARGETS[name].share // shares), seed, _tell)
            for name in names
        ]
        return [one.result() for one in waiting]


def reproduce(case: Path) -> None:
    """Run a case in this process; what it breaks is seen as a traceback."""
    name = case.name.rpartition("-")[0]
    if name not in TARGETS:
        sys.exit(f"fuzz: {case} is not named TARGET-HASH; the targets are {', '.join(TARGETS)}")
    with Memory.bounded():
        TARGETS[name].run(case.read_bytes())
    typer.echo(f"{case}: read, or refused as documented")


def summary(found: list[Findings], seed: int) -> dict[str, object]:
    """For programs."""
    return {
        "cases": sum(one.cases for one in found),
        "crashes": sum(one.crashes for one in found),
        "hangs": sum(one.hangs for one in found),
        "peak_rss_mb": max(one.peak_rss_mb for one in found),
        "seed": seed,
        "targets": [asdict(one) for one in found],
    }


def table(found: list[Findings], report: dict[str, object]) -> str:
    """For people."""
    head = f"{'target':<12}{'cases':>10}{'crashes':>9}{'hangs':>7}{'peak MB':>9}{'edges':>7}{'seconds':>9}"
    rows = [
        f"{one.name:<12}{one.cases:>10,}{one.crashes:>9}{one.hangs:>7}{one.peak_rss_mb:>9}{one.coverage:>7}{one.seconds:>9}"
        for one in found
    ]
    total = "{cases:,} cases, {crashes} crashes, {hangs} hangs, {peak_rss_mb} MB at the most, seed {seed}"
    return "\n".join([head, *rows, total.format(**report)])


def _tell(line: str) -> None:
    typer.echo(line, err=True)


if __name__ == "__main__":
    main()
