"""Takes the README's pictures of the console, from a demo at work: `python -m tests.screenshots docs`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from playwright.sync_api import Page, expect

from infra.embedded import ports, process
from tests.chromium import chromium, opened

HISTORY_SECONDS = 240
"""How much the curves must have seen: two rounds of the demo's story."""

PATIENCE_SECONDS = 600.0
STOP_SECONDS = 60.0
LOOK_AGAIN_MILLISECONDS = 1000
MOST_BYTES = 300_000
OVERVIEW = {"width": 1280, "height": 880}
SITE = {"width": 1280, "height": 1240}


@contextmanager
def demo(log: Path) -> Iterator[str]:
    """A demo in the background, and the address of its page."""
    port = ports.choose("FLEETTWIN_CONSOLE__PORT", None, None)
    command = [sys.executable, "-m", "cli", "demo", "--headless", "--seconds", str(2 * PATIENCE_SECONDS)]
    environment = {**os.environ, "FLEETTWIN_CONSOLE__PORT": str(port)}
    running = process.start(command, log, signal.SIGTERM, environment=environment)
    try:
        await_page(running, port, log)
        yield f"http://127.0.0.1:{port}/"
    finally:
        running.terminate()
        running.wait(STOP_SECONDS)


def await_page(running: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the page answers.

    Raises:
        SystemExit: the demo has ended, or takes too long.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ports.answers(port):
        if running.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"no page: {process.last_lines(log)}")
        time.sleep(0.5)


def telling(page: Page) -> bool:
    """Whether the curves have something to tell, all sites are heard in time, and a project is short."""
    history = page.evaluate("fetch('api/fleet').then((it) => it.json()).then((it) => it.history.tick.length)")
    short = page.locator('.shortage[data-severity="critical"]').filter(has_text="project").count()
    calm = page.locator('.tile[data-presence="present"]').count() == page.locator(".tile").count()
    fresh = page.locator("#freshness").get_attribute("data-freshness") == "fresh"
    return bool(history >= HISTORY_SECONDS and short and calm and fresh)


def await_moment(page: Page) -> None:
    """Wait for such a moment.

    Raises:
        SystemExit: none comes.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not telling(page):
        if time.monotonic() > deadline:
            raise SystemExit("the fleet was never short, heard in time and long enough at work at once")
        page.wait_for_timeout(LOOK_AGAIN_MILLISECONDS)


def take(page: Page, path: Path) -> None:
    """Save what is seen.

    Raises:
        SystemExit: it is too large for a README.
    """
    page.screenshot(path=path)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path} has {path.stat().st_size:,} bytes; at most {MOST_BYTES:,} are wanted")
    typer.echo(f"{path}: {path.stat().st_size:,} bytes", err=True)


def main(folder: Path) -> None:
    """Take all of them into the folder."""
    with tempfile.TemporaryDirectory() as logs, demo(Path(logs) / "demo.log") as home, chromium() as browser:
        with opened(browser, home, viewport=OVERVIEW, color_scheme="dark") as seen:
            page = seen.page
            expect(page.locator(".tile").first).to_be_visible()
            await_moment(page)
            take(page, folder / "console-overview-dark.png")
            page.get_by_role("button", name="Show in light colours").click()
            page.mouse.move(0, 0)
            take(page, folder / "console-overview-light.png")
        with opened(browser, home, "#/sites/memphis", viewport=SITE, color_scheme="dark") as seen:
            expect(seen.page.locator(".nodes tbody tr").first).to_be_visible()
            take(seen.page, folder / "console-site.png")


if __name__ == "__main__":
    typer.run(main)
