"""`fleettwin demo` as somebody runs it who has just cloned the repository, and who once pulls the plug."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from infra.embedded import process
from infra.embedded.stack import RunningStack
from tests.live.world import PATIENCE_SECONDS, ROOT, fleettwin, outside_environment
from tests.servers import CACHE

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

SECONDS = 30


@dataclass(frozen=True)
class Home:
    """A stack's home in which nothing has run yet; its downloads are the test session's."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**outside_environment(), "FLEETTWIN_STACK__HOME": str(self.folder), "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def home(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "cache").symlink_to(CACHE, target_is_directory=True)
    return Home(folder)


@dataclass(frozen=True)
class Killed:
    """A demo that was killed in mid-stream: the processes that it had, and the page at the address that it told."""

    marks: list[process.ProcessMark]
    page: str


@pytest.fixture(scope="module")
def killed(home: Home) -> Killed:
    log = home.folder / "killed.log"
    command = ["demo", "--seconds", "600", "--headless"]
    demo = process.start([sys.executable, "-m", "cli", *command], log, signal.SIGKILL, environment=home.environment)
    try:
        wait_until(lambda: readings_seen(log) > 0, demo, log)
        with urllib.request.urlopen(console_told(log), timeout=PATIENCE_SECONDS) as answer:
            page = answer.read().decode()
        marks = [mark for pid in descendants(demo.pid) if (mark := process.mark(pid)) is not None]
    finally:
        demo.kill()
        demo.wait(PATIENCE_SECONDS)
    return Killed(marks, page)


@pytest.fixture(scope="module")
def report(home: Home, killed: Killed) -> dict[str, Any]:
    """What the demo says of itself when it is run again after that."""
    path = home.folder / "report.json"
    done = fleettwin(
        "demo",
        "--seconds",
        str(SECONDS),
        "--headless",
        "--report",
        path,
        environment=home.environment,
        folder=home.folder,
        seconds=4 * PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


def readings_seen(log: Path) -> int:
    """How many readings the demo has told of last."""
    told = [line for line in log.read_text().splitlines() if "readings in the twin" in line]
    return int(told[-1].partition(" ")[0].replace(",", "")) if told else 0


def console_told(log: Path) -> str:
    """The address of the page that the demo has told."""
    (told,) = [line for line in log.read_text().splitlines() if line.startswith("  console ")]
    return told.split()[1]


def wait_until(holds: Callable[[], bool], demo: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert demo.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def descendants(pid: int) -> list[int]:
    """All processes that a process has started, and those that they have."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(errors="replace")
            except OSError:
                continue
            parents[int(entry.name)] = int(stat[stat.rindex(")") + 2 :].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def test_a_killed_demo_leaves_no_process_behind(killed: Killed) -> None:
    assert len(killed.marks) >= len(("kafka", "timescaledb", "twin", "store", "simulate"))
    assert process.await_condition(lambda: not any(mark.alive for mark in killed.marks), PATIENCE_SECONDS)


def test_its_page_stands_at_the_address_that_it_tells(killed: Killed) -> None:
    assert "<title>fleettwin</title>" in killed.page


def test_the_next_demo_accounts_for_every_reading(report: dict[str, Any]) -> None:
    readings = report["readings"]

    assert readings["published"] == readings["observed"] + readings["refused"] > 2000 * SECONDS * 0.9
    assert all(report["checks"].values()), report["checks"]
    assert report["verify"]["differences"] == 0


def test_its_report_says_what_was_seen_written_and_short_and_how_late(report: dict[str, Any]) -> None:
    delays = report["delay_seconds"]

    assert report["samples"] == 3 * report["rows_by_table"]["fleet_samples"] > 0
    assert report["rows"] > report["samples"]
    assert report["shortages"]["opened"] >= 1
    assert set(report["shortages"]) == {"opened", "resolved", "by_kind"}
    assert sum(sum(of.values()) for of in report["shortages"]["by_kind"].values()) == report["shortages"]["opened"]
    for of in ("twin", "row"):
        assert set(delays[of]) == {"p50", "p99"}
        assert 0 < delays[of]["p50"] <= delays[of]["p99"]
    assert report["kafka"].startswith("127.0.0.1:")
    assert "127.0.0.1:" in report["database"]
    assert urlsplit(report["database"]).password is None
    assert urlsplit(report["console"]).hostname == "127.0.0.1"
