"""Questions about sites that another worker folds: passed on once, and answered plainly where that does not work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from models.console import NodeAnswer, SiteView
from models.state import Presence
from streams.console.passing import PASSED_ON
from tests.console_builders import (
    Built,
    FakeHere,
    ask,
    built,
    folding,
    owner_record,
    site_in,
    site_record,
    tick_records,
    transport,
)

NEAR, FAR = site_in(0), site_in(1)
HERE, THERE, OTHER = "twin@a/1", "twin@b/2", "twin@c/3"
URL = {THERE: "http://b:8470", OTHER: "http://c:8470"}


class Network(httpx.AsyncBaseTransport):
    """Carries questions to the applications at some addresses."""

    def __init__(self) -> None:
        self.at: dict[str, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        known = self.at.get(request.url.host)
        if known is None:
            raise httpx.ConnectError("nobody listens", request=request)
        return await known.handle_async_request(request)


def two_workers(token: str | None = None, its_token: str | None = None, far: str = FAR) -> tuple[Built, Built]:
    """One that folds partition 0 and is asked, and one that folds the others and is known to."""
    sites = {NEAR: ["n0", "same"], far: ["m0", "same"]}
    states = tick_records(sites=[NEAR, far])
    network = Network()
    near = built(folding(sites, [0]), *states, worker=HERE, others=network, token=token)
    there = built(folding(sites, [1, 2, 3]), *states, worker=THERE)
    network.at["b"] = transport(there, token=its_token if its_token is not None else token)
    for partition in (1, 2, 3):
        near.owners.take(owner_record(partition, THERE, URL[THERE]))
    return near, there


def asked(made: Built, path: str, **said: Any) -> httpx.Response:
    return asyncio.run(ask(made, path, **said))


def test_a_site_of_another_worker_is_answered_by_that_one() -> None:
    near, _ = two_workers()
    view = SiteView.model_validate_json(asked(near, f"/api/sites/{FAR}?limit=1&offset=1&order=name").content)

    assert (view.worker, view.state.site) == (THERE, FAR)
    assert (view.nodes.total, [node.node for node in view.nodes.nodes]) == (2, ["same"])


def test_a_site_of_ones_own_is_asked_of_nobody() -> None:
    near, _ = two_workers()

    assert SiteView.model_validate_json(asked(near, f"/api/sites/{NEAR}").content).worker == HERE
    assert near.asked == []


@pytest.mark.parametrize("name", ["a/b", "a%2Fb ?#", "<b>&'\"", "../..", "Ω"])
def test_any_name_is_passed_on(name: str) -> None:
    far = site_in(1, name)
    near, _ = two_workers(far=far)
    site = asked(near, "/api/sites/" + quote(far, safe=""))
    node = asked(near, "/api/nodes/m0", params={"site": far})

    assert SiteView.model_validate_json(site.content).state.site == far
    assert [one.site for one in NodeAnswer.model_validate_json(node.content).nodes] == [far]


def test_a_node_is_looked_for_at_all_workers() -> None:
    near, _ = two_workers()
    same = NodeAnswer.model_validate_json(asked(near, "/api/nodes/same").content)
    far = NodeAnswer.model_validate_json(asked(near, "/api/nodes/m0").content)

    assert [node.site for node in same.nodes] == sorted([NEAR, FAR])
    assert [node.site for node in far.nodes] == [FAR]
    assert same.unanswered == ()


def test_a_node_that_no_worker_has_is_unknown() -> None:
    near, _ = two_workers()

    assert asked(near, "/api/nodes/none").json()["code"] == "unknown_node"
    assert asked(near, f"/api/nodes/none?site={FAR}").json()["code"] == "unknown_node"
    assert asked(near, "/api/sites/none").json()["code"] == "unknown_site"


def test_the_token_goes_with_the_question() -> None:
    near, _ = two_workers("secret")
    answer = asked(near, f"/api/sites/{FAR}", token="secret", headers={"authorization": "Bearer secret"})

    assert answer.status_code == 200
    assert near.asked[0].headers["authorization"] == "Bearer secret"


def test_a_question_is_passed_on_once() -> None:
    _, there = two_workers()
    there.owners.take(owner_record(0, HERE, "http://a:8470"))
    answer = asked(there, f"/api/sites/{NEAR}", headers={PASSED_ON: THERE})

    assert (answer.status_code, there.asked) == (404, [])
    assert asked(there, "/api/nodes/n0", headers={PASSED_ON: THERE}).status_code == 404
    assert there.asked == []


def test_a_question_that_was_meant_for_another_worker_is_not_answered() -> None:
    _, there = two_workers()

    assert asked(there, f"/api/sites/{FAR}", headers={PASSED_ON: HERE}).json()["code"] == "misdirected"


def gone(near: Built) -> None:
    near.owners.by_partition[1] = near.owners.by_partition[1].model_copy(update={"url": "http://gone:1"})


def replaced(near: Built) -> None:
    near.owners.by_partition[1] = near.owners.by_partition[1].model_copy(update={"worker": OTHER})


def unknown(near: Built) -> None:
    del near.owners.by_partition[1]


def said_by_ourselves(near: Built) -> None:
    near.owners.take(owner_record(1, HERE, "http://a:8470"))


def no_url(near: Built) -> None:
    near.owners.by_partition[1] = near.owners.by_partition[1].model_copy(update={"url": "nonsense"})


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        pytest.param(gone, "owner_away", id="it-does-not-listen"),
        pytest.param(replaced, "owner_away", id="another-worker-listens-there"),
        pytest.param(no_url, "owner_away", id="its-address-is-none"),
        pytest.param(unknown, "owner_unknown", id="nobody-has-said-it-is-theirs"),
        pytest.param(said_by_ourselves, "owner_unknown", id="it-was-ours-a-moment-ago"),
    ],
)
def test_while_the_owner_does_not_answer_the_question_is_to_be_asked_again(
    happens: Callable[[Built], None], code: str
) -> None:
    near, _ = two_workers()
    happens(near)
    for path in (f"/api/sites/{FAR}", f"/api/nodes/m0?site={FAR}"):
        answer = asked(near, path)

        assert (answer.status_code, answer.json()["code"]) == (503, code)
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["name"] == FAR


def test_a_worker_with_another_token_is_told_apart_from_one_that_is_away() -> None:
    near, _ = two_workers("secret", "other")
    answer = asked(near, f"/api/sites/{FAR}", token="secret", headers={"authorization": "Bearer secret"})

    assert answer.status_code == 503
    assert "all workers must have the same" in answer.json()["detail"]


def test_a_node_that_was_found_is_told_though_somebody_did_not_answer() -> None:
    near, _ = two_workers()
    near.owners.take(owner_record(3, OTHER, URL[OTHER]))
    found = NodeAnswer.model_validate_json(asked(near, "/api/nodes/same").content)
    missing = asked(near, "/api/nodes/none")

    assert ([node.site for node in found.nodes], found.unanswered) == (sorted([NEAR, FAR]), (3,))
    assert (missing.status_code, "3" in missing.json()["detail"]) == (503, True)


def test_a_site_whose_sender_chose_another_partition_is_found_all_the_same() -> None:
    astray = site_in(0, "astray")
    near, there = two_workers()
    sender = folding({astray: ["n"]}, [0])
    assert isinstance(there.console.here, FakeHere)
    there.console.here.machines[2].sites |= sender.machines[0].sites
    for made in (near, there):
        made.take(site_record(astray))
    view = SiteView.model_validate_json(asked(near, f"/api/sites/{astray}").content)

    assert (view.worker, view.nodes.total) == (THERE, 1)


def test_a_site_that_is_present_and_has_no_nodes_anywhere_is_told_without_them() -> None:
    near, _ = two_workers()
    near.take(site_record(site_in(0, "bare"), presence=Presence.AWAY))
    view = SiteView.model_validate_json(asked(near, f"/api/sites/{site_in(0, 'bare')}").content)

    assert (view.nodes.total, view.worker) == (0, HERE)
