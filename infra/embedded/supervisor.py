"""The process behind `fleettwin stack up`: it holds both servers until told to end, away from any terminal."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from infra.embedded import downloads, process
from infra.embedded.instance import Instance
from infra.embedded.kafka import Kafka
from infra.embedded.postgres import Postgres
from infra.embedded.stack import EmbeddedStack, RunningStack, running
from infra.settings import StackSettings
from models.errors import ConfigurationError, FleettwinError, Unavailable

_END: Final = ((signal.SIGTERM, 45.0), (signal.SIGKILL, 5.0))


class _Orders(BaseModel):
    """What the supervisor reads from its standard input."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: StackSettings
    name: str
    cache: Path


@dataclass(frozen=True, slots=True)
class _Report:
    """The one line that it writes to its standard output."""

    outcome: Literal["ready", "misconfigured", "unavailable"]
    arguments: tuple[str, ...] = ()
    """Of the error."""


def start(settings: StackSettings, name: str = "main", cache: Path | None = None) -> RunningStack:
    """Start an instance under a supervisor that outlives this process, or find it running.

    Raises:
        ConfigurationError: if a fixed port is taken, or there is no Debian mirror.
        Unavailable: if a tool is missing, or a download or a start failed.
    """
    instance = Instance.of(settings, name, cache)
    if found := running(instance):
        return found
    downloads.files(settings, instance.cache)  # here, where somebody watches
    settings = settings.model_copy(update={"home": settings.home.absolute()})
    orders = _Orders(settings=settings, name=name, cache=instance.cache)
    log = instance.log("supervisor")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "infra.embedded.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd="/",
            start_new_session=True,
        )
    answer = _exchange(child, orders.model_dump_json())
    if not answer:
        raise Unavailable("the supervisor", f"it ended: {process.last_lines(log)}", f"The whole log is {log}.")
    report = _Report(**json.loads(answer))
    if report.outcome == "misconfigured":
        raise ConfigurationError(*report.arguments)
    if report.outcome == "unavailable":
        raise Unavailable(*report.arguments)
    child.returncode = 0  # it lives on, and is no longer ours to wait for
    if found := running(instance):
        return found
    raise Unavailable("the servers", "they ended at once", f"The logs are in {log.parent}.")


def _exchange(child: subprocess.Popen[bytes], orders: str) -> bytes:
    """Hand over the orders and wait for the report; if we are interrupted, so is the supervisor."""
    if child.stdin is None or child.stdout is None:
        raise Unavailable("the supervisor", "it has no pipes", "This is a defect of fleettwin.")
    try:
        with child.stdin as pipe:
            pipe.write(orders.encode())
        with child.stdout as pipe:
            return pipe.readline()
    except KeyboardInterrupt:
        child.terminate()
        raise


def end(settings: StackSettings, name: str = "main") -> bool:
    """End an instance: its supervisor, and whatever a supervisor that died has left.

    Returns:
        True if anything was running.

    Raises:
        Unavailable: if something could not be ended.
    """
    state = Instance.of(settings, name).read()
    running_before = state.supervised or bool(state.servers)
    gone = state.supervisor is None or process.end(state.supervisor, _END)
    for server, steps in ((state.kafka, Kafka.end_steps), (state.database, Postgres.end_steps)):
        gone = (server is None or process.end(server, steps)) and gone
    if not gone:
        pids = ", ".join(str(mark.pid) for mark in (state.supervisor, *state.servers) if mark)
        raise Unavailable(f"the stack {name!r}", f"processes {pids} did not end", "End them by hand.")
    return running_before


def reset(settings: StackSettings, name: str = "main") -> bool:
    """Delete the instance's data, ports and logs.

    Returns:
        True if there was anything to delete.

    Raises:
        Unavailable: if it is running.
    """
    instance = Instance.of(settings, name)
    if not instance.folder.exists():
        return False
    lock = instance.try_lock()
    if lock is None:
        raise Unavailable(f"the stack {name!r}", "it is running", f"`fleettwin stack down --name {name}` ends it.")
    try:
        shutil.rmtree(instance.folder)
    finally:
        os.close(lock)
    return True


class _Told(SystemExit):
    """Somebody asked the supervisor to end."""


def _on_signal(number: int, _: FrameType | None) -> None:
    for ignored in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ignored, signal.SIG_IGN)  # once is enough: the end must not be interrupted
    raise _Told(f"told to end by {signal.Signals(number).name}")


def _report(report: _Report) -> None:
    sys.stdout.write(json.dumps(asdict(report)) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the orders, hold the servers, and end when told to or when one of them ends."""
    signal.signal(signal.SIGTERM, _on_signal)
    signal.signal(signal.SIGINT, _on_signal)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    orders = _Orders.model_validate_json(sys.stdin.read())
    try:
        with EmbeddedStack(orders.settings, orders.name, cache=orders.cache) as stack:
            _report(_Report("ready"))
            if failure := stack.wait_for_failure():
                sys.exit(failure)
    except ConfigurationError as error:
        _report(_Report("misconfigured", (error.setting, str(error.value), error.expected)))
        sys.exit(2)
    except Unavailable as error:
        _report(_Report("unavailable", (error.what, error.why, error.way_out)))
        sys.exit(1)
    except FleettwinError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
