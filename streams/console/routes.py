"""The routes of the API: what may be asked, and where each answer comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.responses import JSONResponse, Response

from models.console import (
    FleetView,
    Health,
    NodeAnswer,
    Readiness,
    ShortagesView,
    SitesView,
    SiteView,
)
from models.names import LONGEST_NAME
from models.state import Presence
from streams.console.access import authorized
from streams.console.answers import PageAsked, in_order
from streams.console.console import Console, TheConsole
from streams.console.described import EVENT_STREAM, METRICS, answered, problems
from streams.console.feed import Place
from streams.console.passing import PASSED_ON, Relayed
from streams.console.refusing import NoAnswer, come_back, unknown_node
from twin.looking import NodeFilter, NodeOrder

HEARTBEAT_SECONDS = 15
SEND_SECONDS = 20.0
"""A listener that takes nothing for so long is let go."""
MOST_NODES = 500
"""On one page."""

api = APIRouter()
"""For everybody who brings the token."""
open_api = APIRouter()
"""For everybody."""

PassedOn = Annotated[str | None, Header(alias=PASSED_ON, include_in_schema=False)]
SiteName = Annotated[str, Path(description="The site's name, percent-encoded, slashes too.", max_length=LONGEST_NAME)]
NodeName = Annotated[str, Path(description="The node's name, percent-encoded, slashes too.", max_length=LONGEST_NAME)]


def _asked(router: APIRouter, path: str, **said: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A route that answers GET, and HEAD without being described twice."""

    def added(answer: Callable[..., Any]) -> Callable[..., Any]:
        guarded = [Depends(authorized)] if router is api else []
        router.add_api_route(path, answer, methods=["GET"], dependencies=guarded, **said)
        router.add_api_route(path, answer, methods=["HEAD"], dependencies=guarded, include_in_schema=False)
        return answer

    return added


def _json(view: BaseModel, status: int = 200) -> Response:
    """The view as it is: it was checked when it was made."""
    return Response(view.model_dump_json(), status, media_type="application/json")


def _relayed(relayed: Relayed) -> Response:
    return Response(relayed.body, relayed.status, dict(relayed.headers))


@_asked(api, "/api/fleet", tags=["twin"], **answered(FleetView, 401))
async def fleet(console: TheConsole) -> Response:
    """The fleet now, with the last quarter of an hour."""
    return _json(console.answers.fleet())


@_asked(api, "/api/sites", tags=["twin"], **answered(SitesView, 401))
async def sites(console: TheConsole) -> Response:
    """Every site now, with the last quarter of an hour by ten seconds."""
    return _json(console.answers.sites())


@_asked(api, "/api/shortages", tags=["twin"], **answered(ShortagesView, 401))
async def shortages(console: TheConsole) -> Response:
    """What is short now, and what was within the last hour."""
    return _json(console.answers.shortages())


@_asked(api, "/api/sites/{site:path}", tags=["twin"], **answered(SiteView, 401, 404, 421, 422, 503))
async def site(
    console: TheConsole,
    site: SiteName,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="How many nodes to pass over.")] = 0,
    limit: Annotated[int, Query(ge=0, le=MOST_NODES, description="How many nodes at most.")] = 50,
    order: Annotated[NodeOrder, Query(description="Which nodes come first.")] = NodeOrder.NAME,
    only: Annotated[NodeFilter, Query(description="Which nodes.")] = NodeFilter.ALL,
    passed_on: PassedOn = None,
) -> Response:
    """A site with its racks and a page of its nodes, from the worker that folds it."""
    asked = PageAsked(offset, limit, order, only)
    _meant_for(console, passed_on)
    state = console.live.watch.sites.get(site)
    never_seen = state is not None and state.presence is Presence.NEVER_SEEN
    if console.here.site(site) is None and not never_seen:
        if passed_on is not None:
            raise NoAnswer(404, "unknown_site", f"This worker has no site {site!r}", name=site)
        query = {"offset": offset, "limit": limit, "order": order.value, "only": only.value}
        relayed = await console.others.site(site, query)
        if relayed is not None:
            return _relayed(relayed)
    return _json(console.answers.site(site, asked))


@_asked(api, "/api/nodes/{node:path}", tags=["twin"], **answered(NodeAnswer, 401, 404, 421, 422, 503))
async def nodes(
    console: TheConsole,
    node: NodeName,
    site: Annotated[str | None, Query(description="Only at this site.", max_length=LONGEST_NAME)] = None,
    passed_on: PassedOn = None,
) -> Response:
    """The nodes of that name with their accelerators, each from the worker that folds it."""
    _meant_for(console, passed_on)
    if passed_on is not None or (site is not None and console.here.site(site) is not None):
        return _json(console.answers.nodes(node, site))
    if site is not None:
        relayed = await console.others.node_at(node, site)
        if relayed is None:
            raise unknown_node(node, site)
        return _relayed(relayed)
    here = console.answers.found(node)
    there, unanswered = await console.others.nodes(node)
    if here or there:
        now = console.answers.now()
        return _json(NodeAnswer(now=now, nodes=in_order([*here, *there]), unanswered=tuple(unanswered)))
    if unanswered:
        some = ", ".join(map(str, unanswered))
        raise come_back(5, "owner_away", f"Nobody answers for the telemetry partitions {some}; ask again", name=node)
    raise unknown_node(node)


@_asked(api, "/api/events", tags=["twin"], response_class=EventSourceResponse, **EVENT_STREAM)
async def events(
    console: TheConsole,
    last_event_id: Annotated[
        str | None, Header(description="The id of the last event that came; what came after it is sent first.")
    ] = None,
) -> Response:
    """What happens, as server-sent events.

    `shortage` brings a Shortage each time one changes, `sites` the list of all SiteState of a tick, and `fleet` its
    FleetState. Who comes without a known `Last-Event-ID` is told first how things stand: every open and lately
    resolved shortage, all sites, the fleet. A comment comes each 15 seconds; whoever falls behind is cut off, and
    misses nothing by coming back.
    """
    feed = console.live.feed
    if feed.full:
        raise come_back(30, "too_many", f"{feed.listeners} listen already, as many as may")
    return EventSourceResponse(
        feed.listen(Place.parse(last_event_id)),
        ping=HEARTBEAT_SECONDS,
        ping_message_factory=lambda: ServerSentEvent(comment="still here", sep="\n"),
        send_timeout=SEND_SECONDS,
        sep="\n",
    )


@_asked(open_api, "/healthz", tags=["worker"], **answered(Health))
async def health(console: TheConsole) -> Response:
    """Whether the worker is alive: its loop turns."""
    return _json(Health(alive=True, worker=console.worker))


@_asked(
    api, "/readyz", tags=["worker"], responses={503: {"model": Readiness}, **problems(401)}, response_model=Readiness
)
async def ready(console: TheConsole) -> Response:
    """Whether the worker folds its partitions and has read what the fleet says; 503 says what is missing."""
    readiness = console.readiness()
    return _json(readiness, 200 if readiness.ready else 503)


@_asked(api, "/metrics", tags=["worker"], **METRICS)
async def metrics(console: TheConsole) -> Response:
    """The worker's own work, for Prometheus."""
    return Response(console.metrics(), media_type=CONTENT_TYPE_LATEST)


@_asked(api, "/api/openapi.json", tags=["worker"], response_model=dict[str, Any], responses=problems(401))
async def openapi(request: Request) -> Response:
    """This document."""
    return JSONResponse(request.app.state.document())


def _meant_for(console: Console, passed_on: str | None) -> None:
    """See that a question that another worker passed on has come to the one that it was meant for.

    Raises:
        NoAnswer: 421.
    """
    if passed_on is not None and passed_on != console.others.header_of(console.worker):
        detail = f"This is {console.worker}; the question was passed on to {passed_on}"
        raise NoAnswer(421, "misdirected", detail)
