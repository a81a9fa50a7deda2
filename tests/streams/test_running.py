"""Running a Faust app as ours."""

from tests.programs import ran_as

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

BESIDE = """
import os, threading
import faust
from streams.workers.running import run_app

def beside():
    print(threading.current_thread() is threading.main_thread(), flush=True)
    os._exit(0)

run_app(faust.App("app", broker="kafka://127.0.0.1:1"), beside)
"""

FROZEN = """
import asyncio, gc, os
from contextlib import asynccontextmanager
import faust
from streams.workers.running import run_app

def tell():
    print(gc.get_freeze_count() > 10_000, flush=True)
    os._exit(0)

@asynccontextmanager
async def beside():
    asyncio.get_running_loop().call_soon(tell)
    yield

run_app(faust.App("app", broker="kafka://127.0.0.1:1"), beside)
"""

STOPPED = """
import time
from contextlib import asynccontextmanager
import faust
from streams.workers.running import run_app

@asynccontextmanager
async def beside():
    print("entered", flush=True)
    yield
    print("left", flush=True)

def make():
    time.sleep(2)
    print("made", flush=True)
    return beside()

run_app(faust.App("app", broker="kafka://127.0.0.1:1"), make)
"""


def test_lines_for_debugging_are_not_even_made() -> None:
    ran = ran_as(PROGRAM)

    assert ran.stdout == "False\n", ran.stderr
    assert "a warning" in ran.stderr
    assert "a line for debugging" not in ran.stderr


def test_what_takes_long_to_import_keeps_nobody_from_joining() -> None:
    ran = ran_as(BESIDE)

    assert ran.stdout == "False\n", ran.stderr


def test_the_collector_does_not_go_through_what_was_imported_again() -> None:
    ran = ran_as(FROZEN)

    assert ran.stdout == "True\n", ran.stderr


def test_a_worker_that_stops_while_something_beside_it_is_being_made_waits_and_leaves_it_again() -> None:
    ran = ran_as(STOPPED)

    assert ran.stdout == "made\nentered\nleft\n", ran.stderr
    assert ran.returncode == 1  # there is no Kafka
