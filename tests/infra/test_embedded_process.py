"""Servers end with their parent, and are not mistaken for others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.embedded import process
from infra.embedded.process import Identity, ProcessMark

PARENT = """
import signal, sys
from pathlib import Path
from infra.embedded import process
child = process.start(["sleep", "60"], Path(sys.argv[1]), signal.SIGINT, process.Identity(sys.argv[2]))
print(child.pid, flush=True)
signal.pause()
"""

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its identity")


def spawned(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)


def test_a_mark_tells_a_process_from_a_later_one_with_its_id() -> None:
    child = spawned("sleep", "60")
    known = process.mark(child.pid)
    assert known is not None
    assert known.alive
    assert not ProcessMark(pid=known.pid, started_ticks=known.started_ticks - 1).alive

    child.kill()
    assert process.await_condition(lambda: not known.alive, 5), "a zombie counts as gone"
    child.wait()
    assert process.mark(child.pid) is None


def test_a_process_that_ignores_a_kind_signal_is_ended_by_the_next() -> None:
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()",
        ],
        stdout=subprocess.PIPE,
    )
    assert child.stdout
    assert child.stdout.readline() == b"1\n"
    known = process.mark(child.pid)
    assert known

    assert process.end(known, ((signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0)))
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param(Identity.SELF),
        pytest.param(Identity.NAMESPACE, marks=AS_ROOT),
        pytest.param(Identity.NOBODY, marks=AS_ROOT),
    ],
)
@pytest.mark.parametrize("heeded", [True, False], ids=["signal-heeded-above", "signal-ignored-above"])
def test_a_tied_process_ends_when_its_parent_is_killed(identity: Identity, tmp_path: Path, *, heeded: bool) -> None:
    if identity is Identity.NAMESPACE and process.unprivileged() is not Identity.NAMESPACE:
        pytest.skip("this host forbids user namespaces")
    as_shells_do = [] if heeded else ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
    parent = subprocess.Popen(
        [*as_shells_do, sys.executable, "-c", PARENT, str(tmp_path / "log"), identity.value], stdout=subprocess.PIPE
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert process.await_condition(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n", 5)
    child = process.mark(pid)
    assert child
    assert child.alive

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert process.await_condition(lambda: not child.alive, 5)


def test_a_process_whose_parent_is_gone_already_does_not_start() -> None:
    launcher = process.tied(["echo", "ran"], signal.SIGKILL)
    launcher[launcher.index(str(os.getpid()))] = "1"

    result = subprocess.run(launcher, capture_output=True, check=False)

    assert (result.returncode, result.stdout) == (1, b"")


def test_the_last_run_s_log_is_kept_beside(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "server.log"
    for word in ("first", "second"):
        assert process.start(["echo", word], log, signal.SIGKILL).wait() == 0

    assert log.read_text() == "second\n"
    assert log.with_name("server.log.1").read_text() == "first\n"


def test_the_end_of_a_log_fits_in_one_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert process.last_lines(log) == "no log was written"
    log.write_text("")
    assert process.last_lines(log) == "its log is empty"
    log.write_text("a\nb\n\nc\n")
    assert process.last_lines(log, 3) == "b / c"
