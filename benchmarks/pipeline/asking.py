"""Asks the console while everything else works: how long its answers take, and how old its updates are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread

import httpx
import orjson

PERIOD_SECONDS = 1.0
_PATHS = ("/api/fleet", "/api/sites", "/api/sites/{site}?limit=50", "/api/shortages")


@dataclass
class Asked:
    """What was found; milliseconds of each answer by its path, and the age of each update in seconds."""

    answers: dict[str, list[float]] = field(default_factory=dict)
    updates: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Begin anew."""
        self.answers.clear()
        self.updates.clear()
        self.failures.clear()


@contextmanager
def asking(url: str, site: str) -> Iterator[Asked]:
    """Ask each path once a second, and follow the updates, for as long as the block runs."""
    asked, stop = Asked(), Event()
    threads = [
        Thread(target=_ask, args=(url, site, asked, stop), daemon=True),
        Thread(target=_follow, args=(url, asked, stop), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join(5)


def _ask(url: str, site: str, asked: Asked, stop: Event) -> None:
    with httpx.Client(base_url=url, timeout=10) as client:
        while not stop.wait(PERIOD_SECONDS):
            for path in _PATHS:
                began = time.perf_counter()
                try:
                    client.get(path.format(site=site)).raise_for_status()
                except httpx.HTTPError as error:
                    asked.failures.append(f"{path}: {error}")
                    continue
                asked.answers.setdefault(path, []).append((time.perf_counter() - began) * 1000)


def _follow(url: str, asked: Asked, stop: Event) -> None:
    """Each tick ends with the fleet's own state, whose age is noted as it comes."""
    try:
        with httpx.stream("GET", f"{url}/api/events", timeout=10) as stream:
            kind = ""
            for line in stream.iter_lines():
                if stop.is_set():
                    return
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data" and kind == "fleet":
                    tick = datetime.fromisoformat(orjson.loads(value)["tick"])
                    asked.updates.append(time.time() - tick.timestamp())
    except httpx.HTTPError as error:
        asked.failures.append(f"/api/events: {error}")
