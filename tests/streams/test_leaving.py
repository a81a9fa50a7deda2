"""A worker that has stored what it can comes to its end, whatever Faust still waits for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.live.world import ROOT

PROGRAM = """
import asyncio, threading
import faust
from streams.workers.leaving import leave_in_time

app = faust.App("app", broker="kafka://127.0.0.1:1")
if {crashed}:
    asyncio.run(app.crash(RuntimeError("something")))
leave_in_time(app, 0.1)
threading.Event().wait()
"""


@pytest.mark.parametrize("crashed", [False, True])
def test_who_does_not_get_out_of_its_group_ends_all_the_same(crashed: bool) -> None:
    program = PROGRAM.format(crashed=crashed)
    ran = subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert ran.returncode == int(crashed), ran.stderr
    assert "ends all the same" in ran.stdout + ran.stderr
