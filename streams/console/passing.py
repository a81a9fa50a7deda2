"""Passes questions on to the worker that folds a site; one hop, and never to itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from models.console import NodeAnswer, NodeView
from models.owner import Owner
from models.partitioning import partition_of
from streams.console.here import Here
from streams.console.owners import Owners
from streams.console.refusing import NoAnswer, come_back

PASSED_ON = "fleettwin-passed-on"
"""Header of a question that was passed on: the worker that it is meant for, which answers it or nobody does."""

TIMEOUT = httpx.Timeout(3.0, connect=1.0)
AWAY_SECONDS = 5
"""When to ask again: a worker that was killed is missed after some seconds."""

_RELAYED = frozenset({200, 404, 422, 503})
_KEPT_HEADERS = ("content-type", "retry-after")


@dataclass(frozen=True, slots=True)
class Relayed:
    """What another worker answered, to be handed on as it is."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Others:
    """The other workers, as far as they have said what they answer for."""

    worker: str
    """This one."""
    partitions: int
    here: Here
    owners: Owners
    client: httpx.AsyncClient
    token: str | None = None
    _headers: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.token is not None:
            self._headers["authorization"] = f"Bearer {self.token}"

    async def site(self, site: str, query: Mapping[str, str | int]) -> Relayed | None:
        """`GET /api/sites/{site}` from whoever folds it; none where no other worker does.

        Raises:
            NoAnswer: 503; nobody has said that they own its partition, or the owner does not answer.
        """
        return await self._first(site, "/api/sites/" + quote(site, safe=""), query)

    async def node_at(self, node: str, site: str) -> Relayed | None:
        """`GET /api/nodes/{node}?site=` from whoever folds the site; none where no other worker has such a node.

        Raises:
            NoAnswer: 503, as above.
        """
        return await self._first(site, "/api/nodes/" + quote(node, safe=""), {"site": site})

    async def _first(self, site: str, path: str, query: Mapping[str, str | int]) -> Relayed | None:
        for owner in self._owners(site):
            relayed = await self._ask(owner, path, query, site)
            if relayed.status != 404:
                return relayed
        return None

    def _owners(self, site: str) -> list[Owner]:
        """First whoever should fold the site, then the others: a sender may choose partitions in a way of its own."""
        home = partition_of(site.encode(), self.partitions)
        foreign = [home] if home not in self.here.partitions() else []
        foreign += [one for one in range(self.partitions) if one != home and one not in self.here.partitions()]
        found: dict[str, Owner] = {}
        for partition in foreign:
            owner = self.owners.of(partition)
            if owner is not None and owner.worker != self.worker:
                found.setdefault(owner.worker, owner)
            elif partition == home:
                why = f"No worker has said yet that it folds {site!r} (telemetry partition {home}); ask again"
                raise come_back(AWAY_SECONDS, "owner_unknown", why, name=site)
        return list(found.values())

    async def nodes(self, node: str) -> tuple[list[NodeView], list[int]]:
        """The nodes of that name at all other workers, and the partitions for which nobody answered."""
        owned: dict[str, tuple[Owner, list[int]]] = {}
        unanswered = []
        for partition in sorted(set(range(self.partitions)) - self.here.partitions()):
            owner = self.owners.of(partition)
            if owner is None or owner.worker == self.worker:
                unanswered.append(partition)
            else:
                owned.setdefault(owner.worker, (owner, []))[1].append(partition)
        asked = [self._nodes_of(owner, node) for owner, _ in owned.values()]
        found: list[NodeView] = []
        for (_, partitions), nodes in zip(owned.values(), await asyncio.gather(*asked), strict=True):
            if nodes is None:
                unanswered += partitions
            else:
                found += nodes
        return found, sorted(unanswered)

    async def _nodes_of(self, owner: Owner, node: str) -> tuple[NodeView, ...] | None:
        """What one of them has; none if it does not answer."""
        try:
            relayed = await self._ask(owner, "/api/nodes/" + quote(node, safe=""), {}, node)
            if relayed.status == 404:
                return ()
            return NodeAnswer.model_validate_json(relayed.body).nodes if relayed.status == 200 else None
        except (NoAnswer, ValidationError):
            return None

    @staticmethod
    def header_of(worker: str) -> str:
        """A worker's name as the header has it."""
        return quote(worker, safe="@/")

    async def _ask(self, owner: Owner, path: str, query: Mapping[str, str | int], name: str) -> Relayed:
        headers = {**self._headers, PASSED_ON: self.header_of(owner.worker)}
        try:
            answer = await self.client.get(owner.url + path, params=query, headers=headers, timeout=TIMEOUT)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _away(owner, str(error) or type(error).__name__, name) from None
        if answer.status_code not in _RELAYED:
            raise _away(owner, _reason(answer), name)
        kept = {header: answer.headers[header] for header in _KEPT_HEADERS if header in answer.headers}
        return Relayed(answer.status_code, answer.content, kept)


def _away(owner: Owner, why: str, name: str) -> NoAnswer:
    detail = f"The worker that folds it, {owner.worker} at {owner.url}, does not answer: {why}; ask again"
    return come_back(AWAY_SECONDS, "owner_away", detail, name=name)


def _reason(answer: httpx.Response) -> str:
    if answer.status_code == 401:
        return "it asks for another token; all workers must have the same"
    if answer.status_code == 421:
        return "it has passed the partition on, or another worker answers there; see FLEETTWIN_CONSOLE__ADVERTISED_URL"
    return f"it says {answer.status_code}"
