"""Runs a fleet through the whole pipeline at one reading a second from each node, by the clock on the wall."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson

from benchmarks.fleets import write_scenario
from benchmarks.pipeline.asking import Asked, asking
from benchmarks.pipeline.figures import Run
from benchmarks.pipeline.profiling import profiled
from benchmarks.pipeline.reading_back import Left, Window, left
from benchmarks.processes import Tree, command, says, wait_until
from benchmarks.stage import Stage, set_up
from infra.embedded import ports
from models.catalogue import shipped_catalogue
from models.scenario import Scenario

SETTLING_SECONDS = 20
"""Between the first reading and the window: rosters are read once, buffers and pools grow to their size."""
PYTHON = ("simulator", "twin", "store")
CLOSING_SECONDS = 12
"""After the window the load goes on, so that the rows of its last node frames are written under it too."""


def ran(stage: Stage, fleet: Scenario, seconds: int, profiles: Path | None = None) -> Run:
    """Run the fleet, measure it for so many seconds, and look at what it has left; profiles go to that folder."""
    with set_up(stage) as place, tempfile.TemporaryDirectory() as folder, ExitStack() as programs:
        scenario, report = write_scenario(fleet, Path(folder) / "fleet.yaml"), Path(folder) / "published.json"
        logs = place.logs
        port = ports.choose("FLEETTWIN_CONSOLE__PORT", None, None)
        environment = {**place.environment, "FLEETTWIN_CONSOLE__PORT": str(port)}
        twin = programs.enter_context(command("the twin", ["twin"], environment, logs / "twin.log"))
        store = programs.enter_context(command("the store", ["store"], environment, logs / "store.log"))
        wait_until(says(logs / "twin.log", "lanes open"), "an open lane", logs / "twin.log")
        length = SETTLING_SECONDS + seconds + CLOSING_SECONDS
        line = ["simulate", "--scenario", str(scenario), "--seconds", str(length), "--report", str(report)]
        simulator = programs.enter_context(command("the simulator", line, environment, logs / "simulator.log"))
        trees = (
            Tree("simulator", simulator.pid),
            place.kafka,
            Tree("twin", twin.pid),
            Tree("store", store.pid),
            place.database,
        )
        wait_until(says(logs / "simulator.log", "sites,"), "the simulator", logs / "simulator.log")
        console = f"http://{ports.HOST}:{port}"
        with asking(console, next(iter(fleet.sites))) as asked:
            window, costs = _watched(trees, seconds, asked, profiles)
            wait_until(
                lambda: simulator.poll() is not None, "the simulator's end", logs / "simulator.log", length + 120
            )
        published = orjson.loads(report.read_bytes())
        last = datetime.fromisoformat(published["last_event_time"])
        wait_until(lambda: _newest(console) >= last, "the last tick", logs / "twin.log")
        found = left(place.settings, window)
    return _run(fleet, window, found, costs, published, asked)


@dataclass(frozen=True, slots=True)
class _Costs:
    """Of each process: CPU seconds over the window, megabytes at its half and at its end."""

    cpu: dict[str, float]
    half: dict[str, float]
    end: dict[str, float]


def _watched(trees: tuple[Tree, ...], seconds: int, asked: Asked, profiles: Path | None) -> tuple[Window, _Costs]:
    begin = int(time.time()) + 1 + SETTLING_SECONDS
    half, end = begin + seconds / 2, begin + seconds
    _until(begin)
    asked.forget()
    before = {tree.name: tree.cpu_seconds() for tree in trees}
    ours = {tree.name: tree.pid for tree in trees if tree.name in PYTHON}
    with profiled(ours, seconds, profiles) if profiles else nullcontext():
        _until(half)
        halfway = {tree.name: tree.resident_mb() for tree in trees}
        _until(end)
    cpu = {tree.name: round(tree.cpu_seconds() - before[tree.name], 3) for tree in trees}
    costs = _Costs(cpu, halfway, {tree.name: tree.resident_mb() for tree in trees})
    return Window(begin * 1000, end * 1000), costs


def _until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def _newest(console: str) -> datetime:
    """The newest tick that the console knows."""
    told = httpx.get(f"{console}/api/fleet", timeout=10).raise_for_status().json()
    return datetime.fromisoformat(told["fleet"]["tick"])


def _run(fleet: Scenario, window: Window, found: Left, costs: _Costs, published: dict[str, Any], asked: Asked) -> Run:
    total = sum(costs.cpu.values())
    return Run(
        accelerators=sum(fleet.accelerators(shipped_catalogue()).values()),
        nodes=fleet.nodes,
        sites=len(fleet.sites),
        readings_per_second=round(found.intake["observed"] / window.seconds),
        seconds=window.seconds,
        published=published["published"],
        observed=found.total["observed"],
        refused=found.total["refused"],
        late_part=found.intake["late"] / found.intake["observed"],
        p50_sample_seconds=found.samples.p50,
        p99_sample_seconds=found.samples.p99,
        p99_row_seconds=found.worst_row_p99,
        lag=found.lag,
        rss_mb={"half": round(sum(costs.half.values()), 1), "end": round(sum(costs.end.values()), 1)},
        rss_mb_by_process={name: {"half": costs.half[name], "end": costs.end[name]} for name in costs.half},
        cpu_seconds_per_million={
            name: round(cpu / found.intake["observed"] * 1e6, 3) for name, cpu in costs.cpu.items()
        },
        cores_busy=round(total / window.seconds, 2),
        planner={"p50_seconds": found.planning.p50, "p99_seconds": found.planning.p99},
        console={
            "answer_milliseconds": {path: _percentiles(times) for path, times in asked.answers.items()},
            "update_age_seconds": _percentiles(asked.updates),
            "failures": len(asked.failures),
        },
    )


def _percentiles(values: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(values, (50, 99)) if values else (float("nan"), float("nan"))
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}
