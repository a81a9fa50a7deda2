"""The console of real workers: each answers for all sites, one that is killed is missed for a while, and all end."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from infra.embedded.stack import RunningStack
from infra.settings import ClockSource
from models.console import NodeAnswer, ShortagesView, SiteView
from models.topics import SHORTAGES
from tests.live.world import SCENARIO, Running, World, new_world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

SITES = ("north", "south")
TOKEN = "a-token"


@contextmanager
def asking(token: str | None = None) -> Iterator[httpx.Client]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    with httpx.Client(trust_env=False, headers=headers, timeout=10.0) as client:
        yield client


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def start_twin(world: World, name: str, port: int, **settings: str) -> tuple[Running, str]:
    """A worker whose console is at that port, and its address."""
    worker = world.start("twin", name=name, FLEETTWIN_CONSOLE__PORT=str(port), **settings)
    return worker, f"http://127.0.0.1:{port}"


def answers(client: httpx.Client, url: str, status: int = 200) -> bool:
    try:
        return client.get(url).status_code == status
    except httpx.TransportError:
        return False


def has_nodes(client: httpx.Client, url: str) -> bool:
    """Whether the worker there tells the nodes of both sites; before their first readings any says there are none."""
    found = [client.get(f"{url}/api/sites/{site}") for site in SITES if answers(client, f"{url}/api/sites/{site}")]
    return [SiteView.model_validate_json(one.content).nodes.total > 0 for one in found] == [True, True]


def owner(client: httpx.Client, url: str, site: str) -> str:
    return SiteView.model_validate_json(client.get(f"{url}/api/sites/{site}").content).worker


def lines_of_events(client: httpx.Client, url: str, count: int, last: str | None = None) -> list[dict[str, str]]:
    """The first so many events, by their fields."""
    headers = {} if last is None else {"last-event-id": last}
    events: list[dict[str, str]] = []
    known: dict[str, str] = {}
    with client.stream("GET", f"{url}/api/events", headers=headers) as stream:
        assert stream.status_code == 200
        for line in stream.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                known[name] = value
                continue
            if "data" in known:
                events.append(known)
            known = {}
            if len(events) == count:
                break
    return events


def test_every_worker_answers_for_all_sites_and_goes_on_when_another_is_killed(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world, asking() as client:
        first, one = start_twin(world, "first", free_port())
        second, two = start_twin(world, "second", free_port())
        world.wait_until(lambda: world.members("twin") == 2, "both have partitions")
        simulator = world.start("simulate", "--scenario", SCENARIO)
        world.wait_until(
            lambda: all(has_nodes(client, url) for url in (one, two)),
            "both answer for both sites",
        )

        for site in SITES:
            assert owner(client, one, site) == owner(client, two, site)
            node = f"{site}-h100-sxm-00000"
            there = NodeAnswer.model_validate_json(client.get(f"{two}/api/nodes/{node}").content)
            assert [(found.site, found.node) for found in there.nodes] == [(site, node)]
        assert client.get(f"{one}/api/sites/none").json()["code"] == "unknown_site"

        world.wait_until(lambda: world.end(SHORTAGES) > 0, "a shortage has opened")
        for url in (one, two):
            world.wait_until(lambda url=url: shown(client, url), "it is shown")  # type: ignore[misc]

        world.kill(first)
        world.wait_until(lambda: has_nodes(client, two), "the other has both")
        assert {owner(client, two, site) for site in SITES} == {client.get(f"{two}/healthz").json()["worker"]}
        world.stop(simulator, second)


def shown(client: httpx.Client, url: str) -> bool:
    return bool(ShortagesView.model_validate_json(client.get(f"{url}/api/shortages").content).open)


def test_while_the_owner_is_dead_and_not_yet_missed_its_sites_are_to_be_asked_for_again(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world, asking() as client:
        started = [start_twin(world, name, free_port()) for name in ("first", "second")]
        workers = {url: worker for worker, url in started}
        world.wait_until(lambda: world.members("twin") == 2, "both have partitions")
        simulator = world.start("simulate", "--scenario", SCENARIO)
        world.wait_until(lambda: all(has_nodes(client, url) for url in workers), "both answer for both sites")
        url_of = {client.get(f"{url}/healthz").json()["worker"]: url for url in workers}
        folds = url_of[owner(client, next(iter(workers)), "north")]
        (left,) = workers.keys() - {folds}
        world.kill(workers[folds])
        answer = client.get(f"{left}/api/sites/north")

        assert answer.status_code == 503
        assert answer.json()["code"] in {"owner_away", "owner_unknown"}
        assert int(answer.headers["retry-after"]) > 0
        assert answers(client, f"{left}/api/fleet")
        world.wait_until(lambda: has_nodes(client, left), "the other has it")
        world.stop(simulator, workers[left])


def test_events_go_on_where_they_were_after_the_worker_was_killed(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world, asking() as client:
        port = free_port()
        worker, url = start_twin(world, "before", port)
        simulator = world.start("simulate", "--scenario", SCENARIO)
        world.wait_until(lambda: world.end(SHORTAGES) > 0, "a shortage has opened")
        events = lines_of_events(client, url, 8)
        heard = [event for event in events if "id" in event][-1]["id"]
        resumed = lines_of_events(client, url, 2, heard)
        places = [tuple(map(int, event["id"].split("."))) for event in resumed if "id" in event]
        assert all(place > tuple(map(int, heard.split("."))) for place in places)

        seen = world.end(SHORTAGES)
        world.kill(worker)
        worker, url = start_twin(world, "after", port)
        world.wait_until(lambda: answers(client, f"{url}/readyz"), "it is ready")
        world.wait_until(lambda: world.end(SHORTAGES) > seen, "another shortage event has come")
        world.wait_until(lambda: shown(client, url), "what is open is shown")
        again = lines_of_events(client, url, 4, heard)

        assert "shortage" in {event["event"] for event in again}
        assert {"fleet", "sites", "shortage"} >= {event["event"] for event in again}
        world.stop(simulator, worker)


def test_a_worker_ends_though_somebody_listens_to_its_events(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world, asking() as client:
        worker, url = start_twin(world, "twin", free_port())
        world.wait_until(lambda: answers(client, f"{url}/readyz"), "it is ready")
        with client.stream("GET", f"{url}/api/events") as stream:
            world.stop(worker)
            assert list(stream.iter_raw()) is not None


def test_a_token_is_asked_for_and_used_among_workers(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN, encoding="utf-8")
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world:
        first, one = start_twin(world, "first", free_port(), FLEETTWIN_CONSOLE__TOKEN=TOKEN)
        second, two = start_twin(world, "second", free_port(), FLEETTWIN_CONSOLE__TOKEN_FILE=str(file))
        world.wait_until(lambda: world.members("twin") == 2, "both have partitions")
        simulator = world.start("simulate", "--scenario", SCENARIO)
        with asking(TOKEN) as client:
            world.wait_until(
                lambda: all(has_nodes(client, url) for url in (one, two)),
                "both answer for both sites",
            )
        with asking() as client:
            assert [client.get(one + path).status_code for path in ("/api/fleet", "/metrics", "/healthz", "/")] == [
                401,
                401,
                200,
                200,
            ]
        world.stop(simulator, first, second)


def test_a_port_that_is_taken_is_a_matter_of_the_settings(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with (
        new_world(stack, kafka_prefix, database_url, tmp_path) as world,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        port = server.getsockname()[1]
        world.environment["FLEETTWIN_CONSOLE__PORT"] = str(port)
        done = world.fleettwin("twin")

    assert done.returncode == 2
    assert re.search(rf"FLEETTWIN_CONSOLE__PORT is {port}; expected a free port; this one is held by", done.stderr)


def test_without_a_console_nothing_listens(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path) as world, asking() as client:
        port = free_port()
        worker, url = start_twin(world, "twin", port, FLEETTWIN_CONSOLE__ENABLED="false")
        world.wait_until(lambda: world.members("twin") == 1, "it is at work")

        assert not answers(client, f"{url}/healthz")
        assert "console" not in worker.log.read_text(encoding="utf-8")
        world.stop(worker)
