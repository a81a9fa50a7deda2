"""A worker that was told to stop comes to its end, whatever Faust still waits for."""

from __future__ import annotations

import pytest

from tests.programs import ran_as

PROGRAM = """
import threading
from streams.workers.leaving import end_within

end_within(0.1, {code})
threading.Event().wait()
"""

STUCK = """
import asyncio, os, signal
import faust
from streams.workers import running

running.STOP_SECONDS = 0.5

class Stuck(faust.App):
    async def on_start(self):
        os.kill(os.getpid(), signal.SIGTERM)

    async def on_stop(self):
        await asyncio.Event().wait()

running.run_app(Stuck("app", broker="kafka://127.0.0.1:1"))
"""


@pytest.mark.parametrize("code", [0, 1])
def test_what_does_not_end_by_itself_is_ended(code: int) -> None:
    ran = ran_as(PROGRAM.format(code=code))

    assert ran.returncode == code, ran.stderr
    assert "ends all the same" in ran.stdout + ran.stderr


def test_a_worker_that_faust_does_not_let_go_ends_all_the_same() -> None:
    ran = ran_as(STUCK)

    assert ran.returncode == 1, ran.stderr
    assert "ends all the same" in ran.stdout + ran.stderr
