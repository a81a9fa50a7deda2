"""What one publisher needs to scrape a fleet's exporters: CPU, and how late each node's measures are.

    python -m benchmarks.scraping [--endpoints 1000] [--every 10] [--seconds 60] [--profile FOLDER] [--json]

The exporters are one other process on the same machine. The first beat, in which connections are made and all series
are new, is told apart from the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.exporters import answer
from benchmarks.machine import hardware
from benchmarks.pipeline.profiling import profiled, told
from benchmarks.processes import ROOT
from models.catalogue import shipped_catalogue
from streams.publish.measures import Identity
from streams.publish.options import SourceOptions, Target
from streams.publish.sources.prometheus import source_of

PARSED = 20


@dataclass(frozen=True, slots=True)
class Beat:
    """One sample of all endpoints."""

    seconds: float
    cpu_seconds: float
    nodes: int
    failures: int
    why: str
    """One of the failures."""
    delays: tuple[float, ...]
    """Of each node's measures after the beat, in seconds."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a run."""

    endpoints: int
    beats: int
    first_seconds: float
    first_cpu_seconds: float
    cpu_share: float
    """Of one core, the first beat left out."""
    beat_seconds: float
    """Median, the first left out."""
    beat_cpu_seconds: float
    """Likewise."""
    delay_p50: float
    delay_p99: float
    first_failures: int
    failures: int
    """In the other beats."""
    missing: int
    """Nodes of which one of these had no measures."""
    why: str
    """The first failure."""
    whole_parse_share: float
    """Of one core, that the parser alone would take for whole answers."""


@contextmanager
def exporters(count: int) -> Iterator[Sequence[int]]:
    """Their ports."""
    line = [sys.executable, "-m", "benchmarks.exporters", str(count)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, cwd=ROOT) as child:
        try:
            assert child.stdout is not None
            yield json.loads(child.stdout.readline())
        finally:
            child.kill()


async def scraped(ports: Sequence[int], every: float, seconds: float) -> list[Beat]:
    """All beats; one that takes longer than a period makes the next one late."""
    targets = tuple(
        Target(Identity("memphis", f"n{number}"), f"http://127.0.0.1:{port}/metrics")
        for number, port in enumerate(ports)
    )
    source = source_of(SourceOptions(targets, shipped_catalogue(), timeout_seconds=every))
    beats = []
    begin = time.time()
    try:
        for number in range(max(2, round(seconds / every))):
            due = begin + number * every
            await asyncio.sleep(max(0.0, due - time.time()))
            cpu, wall = time.process_time(), time.perf_counter()
            said = await source.sample()
            beats.append(
                Beat(
                    seconds=time.perf_counter() - wall,
                    cpu_seconds=time.process_time() - cpu,
                    nodes=len(said.nodes),
                    failures=len(said.failures),
                    why=said.failures[0].why if said.failures else "",
                    delays=tuple(node.at / 1000 - due for node in said.nodes),
                )
            )
    finally:
        await source.close()
    return beats


def figures(beats: Sequence[Beat], endpoints: int, every: float) -> Figures:
    """The first beat is told apart."""
    first, *others = beats
    delays = sorted(delay for beat in others for delay in beat.delays) or [float("nan")]
    return Figures(
        endpoints=endpoints,
        beats=len(beats),
        first_seconds=round(first.seconds, 3),
        first_cpu_seconds=round(first.cpu_seconds, 3),
        cpu_share=round(statistics.fmean(beat.cpu_seconds for beat in others) / every, 4),
        beat_seconds=round(statistics.median(beat.seconds for beat in others), 3),
        beat_cpu_seconds=round(statistics.median(beat.cpu_seconds for beat in others), 3),
        delay_p50=round(delays[len(delays) // 2], 3),
        delay_p99=round(delays[len(delays) * 99 // 100], 3),
        first_failures=first.failures,
        failures=sum(beat.failures for beat in others),
        why=next((beat.why for beat in beats if beat.why), ""),
        missing=sum(endpoints - beat.nodes for beat in others),
        whole_parse_share=round(whole_parse_seconds() * endpoints / every, 3),
    )


def whole_parse_seconds() -> float:
    """CPU seconds that the parser takes for one whole answer."""
    text = answer(0, 0)
    begin = time.process_time()
    for _ in range(PARSED):
        list(text_string_to_metric_families(text))
    return (time.process_time() - begin) / PARSED


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--endpoints", type=int, default=1000)
    options.add_argument("--every", type=float, default=10.0, metavar="SECONDS")
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--profile", type=Path, metavar="FOLDER", help="record where the time goes, with py-spy")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    looked = (
        nullcontext()
        if chosen.profile is None
        else profiled({"scraping": os.getpid()}, int(chosen.seconds), chosen.profile)
    )
    with exporters(chosen.endpoints) as ports, looked:
        beats = asyncio.run(scraped(ports, chosen.every, chosen.seconds))
    found = figures(beats, chosen.endpoints, chosen.every)
    for line in () if chosen.profile is None else told(chosen.profile):
        print(line)
    if chosen.json:
        print(json.dumps({**hardware(), **asdict(found)}))
        return
    for name, value in asdict(found).items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
