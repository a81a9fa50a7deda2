"""`fleettwin alerts` as a user runs it: filters, what is open now, consumer groups, readers that have had enough."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from infra.embedded.stack import RunningStack
from models.shortage import Power, Scope, ScopeKind, Severity
from tests.alerts import Topics, resolved, shortage, shortage_topics
from tests.live.world import ROOT, fleettwin, outside_environment

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

PATIENCE_SECONDS = 90.0
"""More than Kafka takes to miss a member that was killed: 45 s."""


@pytest.fixture
def topics(stack: RunningStack, kafka_prefix: str) -> Iterator[Topics]:
    with shortage_topics(stack, kafka_prefix) as topics:
        yield topics


def said(topics: Topics, folder: Path, *arguments: str) -> list[str]:
    """The lines that a command writes; it must end well and say nothing else."""
    done = fleettwin("alerts", *arguments, environment={**outside_environment(), **topics.environment}, folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def keys(lines: list[str]) -> list[str]:
    events = [orjson.loads(line) for line in lines]
    return [f"{event['id']}{event['sequence']}" for event in events]


POWER = {"resource": Power(), "scope": Scope(kind=ScopeKind.PROJECT, name="atlas")}
STORY = [
    shortage("a", 0, severity=Severity.WARNING),
    shortage("p", 0, severity=Severity.INFO, **POWER),
    shortage("a", 1),
    resolved("a", 2),
    shortage("b", 0, severity=Severity.INFO),
]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param([], ["a0", "p0", "a1", "a2", "b0"], id="all"),
        pytest.param(["--severity", "critical"], ["a1", "a2"], id="severity"),
        pytest.param(["--scope", "project"], ["p0"], id="scope"),
        pytest.param(["--name", "atlas"], ["p0"], id="name"),
        pytest.param(["--resource", "accelerators"], ["a0", "a1", "a2", "b0"], id="resource"),
        pytest.param(["--since", "1h"], ["a0", "p0", "a1", "a2", "b0"], id="since"),
        pytest.param(["--since", "9999-01-01T00:00:00Z"], [], id="since-a-time-to-come"),
        pytest.param(["--open"], ["b0", "p0"], id="open"),
        pytest.param(["--open", "--resource", "power"], ["p0"], id="open-and-chosen"),
        pytest.param(["--group", "g", "--severity", "warning"], ["a0", "a1", "a2"], id="group"),
    ],
)
def test_what_is_asked_for_is_shown(topics: Topics, tmp_path: Path, options: list[str], shown: list[str]) -> None:
    topics.send(*STORY)

    assert keys(said(topics, tmp_path, "--json", *options)) == shown


def test_what_is_open_is_a_table_for_people(topics: Topics, tmp_path: Path) -> None:
    assert said(topics, tmp_path, "--open") == ["nothing is short"]

    topics.send(*STORY)
    head, _, first, second = said(topics, tmp_path, "--open")

    assert head.split() == ["since", "for", "severity", "who", "short", "what", "binds"]
    assert "2026-03-01 12:00:00Z" in first
    assert "site memphis" in first
    assert "64 accelerators" in first
    assert first.endswith("whole nodes at memphis; +1 whole node serves 8")
    assert "project atlas" in second
    assert "0.08 MW" in second


def test_a_group_goes_on_where_it_was(topics: Topics, tmp_path: Path) -> None:
    topics.send(*STORY[:3])
    assert keys(said(topics, tmp_path, "--json", "--group", "pager")) == ["a0", "p0", "a1"]
    assert keys(said(topics, tmp_path, "--json", "--group", "pager")) == []

    topics.send(*STORY[2:])
    assert keys(said(topics, tmp_path, "--json", "--group", "pager")) == ["a2", "b0"]
    assert keys(said(topics, tmp_path, "--json", "--group", "other")) == ["a0", "p0", "a1", "a2", "b0"]


def test_a_group_remembers_which_episodes_it_has_been_told_of(topics: Topics, tmp_path: Path) -> None:
    critical = ("--json", "--group", "pager", "--severity", "critical")
    topics.send(shortage("a", 0), shortage("b", 0, severity=Severity.INFO))
    assert keys(said(topics, tmp_path, *critical)) == ["a0"]

    topics.send(resolved("a", 1, severity=Severity.INFO), resolved("b", 1, severity=Severity.INFO))
    assert keys(said(topics, tmp_path, *critical)) == ["a1"]


@contextmanager
def follower(topics: Topics, folder: Path, name: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A member of the group `pager` that follows, and the file that it writes to."""
    out = folder / f"{name}.jsonl"
    with out.open("wb") as written, (folder / f"{name}.err").open("wb") as told:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli", "alerts", "--follow", "--json", "--group", "pager"],
            env={**outside_environment(), **topics.environment, "PYTHONPATH": str(ROOT)},
            cwd=folder,
            stdout=written,
            stderr=told,
        )
        try:
            yield child, out
        finally:
            child.kill()
            child.wait()


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_members_of_a_group_share_and_stand_in_for_each_other(topics: Topics, tmp_path: Path) -> None:
    def written(*files: Path) -> list[str]:
        return [key for file in files for key in keys(file.read_text().splitlines())]

    with follower(topics, tmp_path, "one") as (first, one), follower(topics, tmp_path, "two") as (_, two):
        topics.send(shortage("a", 0))
        wait_until(lambda: bool(written(one, two)), "one of them has written")
        for number in range(1, 6):
            topics.send(shortage("a", number))
        wait_until(lambda: len(set(written(one, two))) == 6, "all are written")

        first.terminate()
        assert first.wait(PATIENCE_SECONDS) == 0
        topics.send(shortage("a", 6), resolved("a", 7))
        wait_until(lambda: len(set(written(one, two))) == 8, "the other one has gone on")
        told = written(one, two)

    assert sorted(set(told)) == [f"a{number}" for number in range(8)]
    assert len(told) <= 10, "what a rebalance repeats is little"


def test_what_was_not_written_is_written_by_whoever_comes_next(topics: Topics, tmp_path: Path) -> None:
    topics.send(*[shortage("a", number) for number in range(3000)])
    seen: list[str] = []
    with follower(topics, tmp_path, "killed") as (child, out):
        wait_until(lambda: len(out.read_bytes().splitlines()) > 50, "some are written")
        child.kill()
        child.wait()
        seen += [line for line in out.read_text().splitlines(keepends=True) if line.endswith("\n")]

    rest = said(topics, tmp_path, "--json", "--group", "pager")

    assert [f"a{number}" for number in range(3000)] == list(dict.fromkeys(keys(seen) + keys(rest)))


def test_a_reader_that_has_had_enough_is_no_error(topics: Topics, tmp_path: Path) -> None:
    topics.send(*[shortage("a", number) for number in range(500)])
    command = f"set -o pipefail; {sys.executable} -m cli alerts --json | head -n 2"
    environment = {**outside_environment(), **topics.environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert keys(done.stdout.splitlines()) == ["a0", "a1"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(["--since", "yesterday"], "15m, 2h, 3d", id="since"),
        pytest.param(["--since", "2026-01-01T00:00:00"], "an offset from UTC", id="since-without-offset"),
        pytest.param(["--group", "twin"], "another name than those of the workers", id="the-workers-group"),
        pytest.param(["--open", "--follow"], "it is about now", id="open-and-follow"),
        pytest.param(["--name", "x", "--scope", "fleet"], "no name with --scope fleet", id="name-of-the-fleet"),
        pytest.param(["--json", "--alertmanager"], "one form or the other", id="two-forms"),
        pytest.param(["--severity", "bad"], "'critical'", id="severity"),
        pytest.param(["--resource", "water"], "'power'", id="resource"),
        pytest.param(["--json", "forward"], "forward has its own", id="options-before-forward"),
        pytest.param(["forward"], "FLEETTWIN_ALERTS__URL", id="nowhere-to-forward-to"),
        pytest.param(["forward", "--to", "ftp://x"], "http://host:port/path", id="no-http"),
        pytest.param(["forward", "--form", "pagerduty"], "FLEETTWIN_ALERTS__ROUTING_KEY", id="no-routing-key"),
        pytest.param(["forward", "--to", "http://h", "--dead-letters", "no/x"], "a file to append to", id="no-file"),
    ],
)
def test_a_wrong_option_is_named_with_what_was_expected(
    topics: Topics, tmp_path: Path, options: list[str], expected: str
) -> None:
    environment = {**outside_environment(), **topics.environment, "COLUMNS": "200"}
    done = fleettwin("alerts", *options, environment=environment, folder=tmp_path)

    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
