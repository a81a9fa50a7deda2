"""A real Alertmanager on loopback, which tells a receiver of ours what it notifies."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.embedded import process

PROGRAMS = ("prometheus-alertmanager", "alertmanager")
PATIENCE_SECONDS = 60.0

_CONFIGURATION = """\
route:
  receiver: fleet
  group_by: ["..."]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: fleet
    webhook_configs:
      - url: "{url}"
        send_resolved: true
"""


@dataclass
class Alertmanager:
    """One at this address; it may be ended and started again, with what it knew or without."""

    folder: Path
    port: int
    child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return once it is ready."""
        program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
        assert program is not None, "no Alertmanager on the path: apt-get install prometheus-alertmanager"
        command = [
            program,
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        self.child = process.start(command, self.folder / "alertmanager.log", signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._ready():
            log = process.last_lines(self.folder / "alertmanager.log")
            assert self.child.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready").is_success
        except httpx.TransportError:
            return False

    def end(self) -> None:
        """It keeps what it has notified, and forgets all alerts, as it always does."""
        if self.child is not None:
            self.child.terminate()
            self.child.wait(PATIENCE_SECONDS)
            self.child = None

    def active(self) -> list[Any]:
        """The alerts that its API says go on."""
        found: list[Any] = httpx.get(f"{self.url}/api/v2/alerts").json()
        return found

    def open_ids(self) -> set[str]:
        return {alert["labels"]["shortage"] for alert in self.active()}


@contextmanager
def alertmanager(folder: Path, notified: str) -> Iterator[Alertmanager]:
    """One that posts its notifications to this address."""
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(_CONFIGURATION.format(url=notified))
    with socket.create_server(("127.0.0.1", 0)) as free:
        one = Alertmanager(folder, free.getsockname()[1])
    one.start()
    try:
        yield one
    finally:
        one.end()
