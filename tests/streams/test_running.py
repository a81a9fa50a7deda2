"""Running a Faust app as ours."""

import subprocess
import sys

from tests.live.world import ROOT

PROGRAM = """
import logging, os
from contextlib import asynccontextmanager
import faust
from streams.workers.running import run_app

@asynccontextmanager
async def beside():
    logging.getLogger("aiokafka").debug("a line for debugging")
    logging.getLogger("aiokafka").warning("a warning")
    print(logging.getLogger("aiokafka").isEnabledFor(logging.DEBUG), flush=True)
    os._exit(0)
    yield

run_app(faust.App("app", broker="kafka://127.0.0.1:1"), beside)
"""


def test_lines_for_debugging_are_not_even_made() -> None:
    ran = subprocess.run(  # what it says tells more than its code
        [sys.executable, "-c", PROGRAM], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert ran.stdout == "False\n", ran.stderr
    assert "a warning" in ran.stderr
    assert "a line for debugging" not in ran.stderr
