"""The page that a real twin serves, in a real browser: what is short comes and goes on it; it outlives its worker."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from infra.embedded import ports
from infra.embedded.stack import RunningStack
from infra.settings import ClockSource
from tests.chromium import Seen, chromium, opened
from tests.live.world import PATIENCE_SECONDS, SCENARIO, Running, World, new_world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

PATIENCE_MILLISECONDS = PATIENCE_SECONDS * 1000
"""For what the scenario, Kafka or a worker takes its time with."""

TOKEN = "hush"
ODD = "<img src=x onerror=alert(1)> 50%/a b"
"""The name of a site; the other one is called south."""


@dataclass
class Watched:
    """A twin at work, its page in a browser, and how to start its worker."""

    world: World
    worker: Running
    seen: Seen
    port: int

    def start(self, name: str) -> Running:
        return self.world.start("twin", name=name, **settings(self.port))

    def ready(self) -> bool:
        """Whether the worker has its partitions and sees the fleet."""
        asked = urllib.request.Request(f"{self.seen.home}readyz", headers={"Authorization": f"Bearer {TOKEN}"})
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def settings(port: int) -> dict[str, str]:
    return {"FLEETTWIN_CONSOLE__PORT": str(port), "FLEETTWIN_CONSOLE__TOKEN": TOKEN}


@pytest.fixture
def watched(stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path) -> Iterator[Watched]:
    scenario = tmp_path / "odd.yaml"
    text = SCENARIO.read_text(encoding="utf-8")
    scenario.write_text(re.sub(r"\bnorth\b", f'"{ODD}"', text), encoding="utf-8")
    port = ports.choose("a port for the test", None, None)
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world:
        worker = world.start("twin", name="first", **settings(port))
        world.start("simulate", "--scenario", scenario)
        with chromium() as browser:
            home = f"http://127.0.0.1:{port}/"
            world.wait_until(lambda: ports.answers(port), "the worker listens")
            with opened(browser, home) as seen:
                yield Watched(world, worker, seen, port)


def bring_token(page: Page) -> None:
    page.get_by_role("textbox", name="Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()


def shortage_that_comes_and_goes(page: Page) -> None:
    """Wait for one to open, and for the same one to pass."""
    row = page.locator(".shortage").filter(has_text="project frontier").first
    expect(row).to_contain_text(re.compile("wait|granted"), timeout=PATIENCE_MILLISECONDS)
    episode = row.get_attribute("data-id")
    assert episode is not None
    expect(page.locator(f'.shortage[data-id="{episode}"]')).to_have_count(0, timeout=PATIENCE_MILLISECONDS)
    passed = page.locator(".passed")
    if passed.get_attribute("open") is None:
        passed.locator("summary").click()
    expect(passed.locator(".past").get_by_text("project frontier").first).to_be_visible()


def nodes_are_looked_at(page: Page, site: str) -> None:
    """Go from the fleet to a node of the site and back."""
    page.get_by_role("link", name=site, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(site)
    expect(page.locator(".nodes h2 .number")).to_have_text(re.compile(r"\d\d"))
    node = page.locator(".nodes tbody a").first
    name = node.text_content()
    assert name
    node.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator(".facts")).to_contain_text("W")
    expect(page.locator(".about")).to_contain_text(f"at {site}")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_have_text(site)
    page.keyboard.press("Escape")
    expect(page.locator(".tile")).to_have_count(2)


def test_the_page_shows_what_is_short_while_it_is_and_outlives_its_worker(watched: Watched) -> None:
    world, seen, page = watched.world, watched.seen, watched.seen.page
    bring_token(page)
    seen.forgive()  # it was told that a token is needed

    expect(page.locator(".tile")).to_have_count(2)
    expect(page.locator("#freshness")).to_have_attribute("data-freshness", "fresh", timeout=PATIENCE_MILLISECONDS)
    shortage_that_comes_and_goes(page)
    world.wait_until(watched.ready, "the worker has its partitions")
    nodes_are_looked_at(page, ODD)
    assert page.locator("img").count() == 0
    assert seen.faults == []

    world.kill(watched.worker)
    expect(page.locator("#freshness")).to_contain_text("reconnecting")
    watched.worker = watched.start("again")
    expect(page.locator("#freshness")).to_have_attribute("data-phase", "live", timeout=PATIENCE_MILLISECONDS)
    world.wait_until(watched.ready, "its successor has its partitions")
    expect(page.locator("#freshness")).to_have_attribute("data-freshness", "fresh", timeout=PATIENCE_MILLISECONDS)
    seen.forgive()  # nobody answered for a while

    shortage_that_comes_and_goes(page)
    nodes_are_looked_at(page, "south")
    assert seen.faults == []
