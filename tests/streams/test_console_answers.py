"""What the console's routes answer, over real machines and states, asked as a browser would."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest

from models.console import FleetView, NodeAnswer, ShortagesView, SitesView, SiteView
from models.shortage import Binding, Change, Constraint, Scope, ScopeKind
from models.state import Presence
from tests.builders import SITE, T0
from tests.console_builders import (
    Built,
    ask,
    built,
    event,
    folding,
    shortage_record,
    site_record,
    tick_records,
)

ODD_NAMES = (
    pytest.param("a/b", id="a-slash"),
    pytest.param("a%2Fb", id="an-encoded-slash"),
    pytest.param("100 % of it", id="a-percent-sign-and-spaces"),
    pytest.param("<img src=x onerror=alert(1)>", id="markup"),
    pytest.param("\"'`;--", id="quotes"),
    pytest.param("a?b#c&d=e+f", id="what-urls-are-made-of"),
    pytest.param("../../etc", id="dots"),
    pytest.param("Ω-湖", id="letters-of-others"),
    pytest.param("/api/fleet", id="a-route"),
    pytest.param("//x", id="slashes-first"),
)


def asked(made: Built, path: str, method: str = "GET", **said: Any) -> httpx.Response:
    return asyncio.run(ask(made, path, method, **said))


def test_the_fleet_is_told_with_its_age_and_its_history() -> None:
    answer = asked(built(None, *tick_records(T0 - 1000), *tick_records(T0)), "/api/fleet")
    view = FleetView.model_validate_json(answer.content)

    assert answer.status_code == 200
    assert (view.age_seconds, len(view.history.tick)) == (0.7, 2)
    assert view.fleet is not None
    assert view.history.free == (view.fleet.free, view.fleet.free)


def test_before_the_first_state_there_is_no_fleet_and_no_age() -> None:
    view = FleetView.model_validate_json(asked(built(), "/api/fleet").content)

    assert (view.fleet, view.age_seconds, view.history.tick) == (None, None, ())


def test_sites_come_by_name() -> None:
    view = SitesView.model_validate_json(asked(built(None, *tick_records(sites=["b", "a"])), "/api/sites").content)

    assert [tile.state.site for tile in view.sites] == ["a", "b"]
    assert [len(tile.history.tick) for tile in view.sites] == [1, 1]


def test_a_site_is_told_with_its_racks_and_a_page_of_its_nodes() -> None:
    made = built(folding({SITE: ["n2", "n0", "n1"]}), *tick_records())
    view = SiteView.model_validate_json(asked(made, f"/api/sites/{SITE}?offset=1&limit=1").content)

    assert (view.state.site, view.worker, view.age_seconds) == (SITE, "twin@a/1", 0.7)
    assert (view.nodes.total, view.nodes.offset, [node.node for node in view.nodes.nodes]) == (3, 1, ["n1"])
    assert [rack.nodes for rack in view.racks] == [3]


def test_a_site_that_no_node_has_spoken_of_is_told_without_any() -> None:
    made = built(None, site_record("new", presence=Presence.NEVER_SEEN))
    view = SiteView.model_validate_json(asked(made, "/api/sites/new").content)

    assert (view.nodes.total, view.racks, view.state.presence) == (0, (), Presence.NEVER_SEEN)
    assert made.asked == []


def test_a_site_whose_first_state_is_to_come_is_to_be_asked_for_again() -> None:
    answer = asked(built(folding({SITE: ["n0"]})), f"/api/sites/{SITE}")

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "not_ready", "1")


def test_a_site_shows_its_own_shortages_and_those_of_projects_that_wait_for_it() -> None:
    elsewhere = Binding(constraint=Constraint.POWER, sites=("b",), types=(), summary="")
    project, fleet = Scope(kind=ScopeKind.PROJECT, name="p"), Scope(kind=ScopeKind.FLEET, name="fleet")
    events = [
        event("own"),
        event("waits", scope=project),
        event("also", scope=project, binding=elsewhere, also=(event().binding,)),
        event("not", scope=project, binding=elsewhere),
        event("sum", scope=fleet),
        event("other", scope=Scope(kind=ScopeKind.SITE, name="b")),
        event("over", 1, Change.RESOLVED),
    ]
    made = built(folding({SITE: ["n0"]}), *tick_records(), *map(shortage_record, events))
    view = SiteView.model_validate_json(asked(made, f"/api/sites/{SITE}").content)

    assert {one.id for one in view.shortages} == {"own", "waits", "also"}


def test_shortages_are_those_that_are_open_and_those_that_resolved_lately() -> None:
    events = [
        event("first"),
        event("second", since=event().since.replace(year=2000)),
        event("long-gone", 1, Change.RESOLVED, T0 - 3_600_001),
        event("gone", 1, Change.RESOLVED, T0 - 3_600_000),
        event("just-gone", 1, Change.RESOLVED),
    ]
    made = built(None, *map(shortage_record, events), *tick_records())
    view = ShortagesView.model_validate_json(asked(made, "/api/shortages").content)

    assert [one.id for one in view.open] == ["second", "first"]
    assert [one.id for one in view.resolved] == ["just-gone", "gone"]


def test_a_node_is_found_at_every_site_that_has_one_of_that_name() -> None:
    made = built(folding({"b": ["n0"], "a": ["n0", "n1"]}), *tick_records(sites=["a", "b"]))
    everywhere = NodeAnswer.model_validate_json(asked(made, "/api/nodes/n0").content)
    there = NodeAnswer.model_validate_json(asked(made, "/api/nodes/n0?site=b").content)

    assert [(node.site, node.node) for node in everywhere.nodes] == [("a", "n0"), ("b", "n0")]
    assert [(node.site, node.node) for node in there.nodes] == [("b", "n0")]
    assert everywhere.unanswered == ()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_of_a_site_and_of_a_node_can_be_asked_for(name: str) -> None:
    made = built(folding({name: [name]}), *tick_records(sites=[name]))
    site = SiteView.model_validate_json(asked(made, "/api/sites/" + quote(name, safe="")).content)
    node = NodeAnswer.model_validate_json(
        asked(made, "/api/nodes/" + quote(name, safe=""), params={"site": name}).content
    )

    assert (site.state.site, [one.node for one in site.nodes.nodes]) == (name, [name])
    assert [(one.site, one.node) for one in node.nodes] == [(name, name)]


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("kind", ["site", "node"])
def test_a_name_that_is_not_known_is_named_in_the_answer(kind: str, name: str) -> None:
    answer = asked(built(), f"/api/{kind}s/" + quote(name, safe=""))

    assert answer.status_code == 404
    assert answer.json() == {
        "code": f"unknown_{kind}",
        "detail": f"No {kind} is called {name!r}",
        "name": name,
    }


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("limit=501", id="too-many"),
        pytest.param("limit=-1", id="fewer-than-none"),
        pytest.param("offset=x", id="no-number"),
        pytest.param("order=beauty", id="no-such-order"),
        pytest.param("only=mine", id="no-such-choice"),
    ],
)
def test_a_page_that_cannot_be_is_refused_with_the_parameter(query: str) -> None:
    answer = asked(built(folding({SITE: ["n0"]}), *tick_records()), f"/api/sites/{SITE}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["detail"].startswith("query." + query.partition("=")[0])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/fleet", "/api/sites/x", "/api/events", "/metrics", "/healthz"])
def test_nothing_can_be_changed(method: str, path: str) -> None:
    answer = asked(built(), path, method)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "path", ["/api/fleet", f"/api/sites/{SITE}", "/api/nodes/n0", "/metrics", "/api/events", "/readyz"]
)
def test_head_says_what_get_would_without_saying_it(path: str) -> None:
    made = built(folding({SITE: ["n0"]}), *tick_records())
    head = asked(made, path, "HEAD")

    assert (head.status_code, head.content) == (200, b"")
    assert made.live.feed.listeners == 0


def test_large_answers_are_compressed_for_whoever_takes_that() -> None:
    made = built(None, *tick_records(sites=[f"site-{number}" for number in range(20)]))
    plain = asked(made, "/api/sites", headers={"accept-encoding": "identity"})
    packed = asked(made, "/api/sites", headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 4
    assert orjson.loads(packed.content) == orjson.loads(plain.content)


def test_a_worker_is_ready_once_it_folds_and_has_read_to_the_ends() -> None:
    here = folding({})
    made = built(here)
    here.ready = made.caught_up = False
    not_yet = asked(made, "/readyz")
    here.ready = made.caught_up = True
    ready = asked(made, "/readyz")

    assert (not_yet.status_code, not_yet.json()["ready"], len(not_yet.json()["missing"])) == (503, False, 2)
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "missing": []})
    assert asked(made, "/healthz").json() == {"alive": True, "worker": "twin@a/1"}


def test_what_is_no_route_is_not_found() -> None:
    answer = asked(built(), "/api/fleets")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
