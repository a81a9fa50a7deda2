"""Nodes by exporters that speak Prometheus' text format, such as NVIDIA's, AMD's and Intel's: no library needed."""

from __future__ import annotations

import base64
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import httpx
from pydantic import BaseModel, ConfigDict, Field

from infra.secret_files import secret_of
from models.errors import ConfigurationError, Unavailable
from streams.publish.addresses import checked_address, tls_context
from streams.publish.measures import Component, Failure, NodeMeasure, Sampled
from streams.publish.options import SourceOptions, extra_of, password_of
from streams.publish.scraping.asking import Answered, Asking, Silent
from streams.publish.scraping.endpoint import Endpoint, Senseless
from streams.publish.scraping.exposition import Garbled
from streams.publish.scraping.field_map import SHIPPED, FieldMap, shipped_map, user_map
from streams.publish.scraping.joining import Disagreement, Heard, joined
from streams.publish.scraping.pools import PoolPerServer

SLACK_SECONDS = 0.5
"""After the timeout; the publisher gives up on a sample after a second."""

NO_TIME = "its answer came, but there was no time left to read it: too many endpoints for one publisher"


class ScrapingOptions(BaseModel):
    """What `options` may say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    map: str | None = None
    """One of those that fleettwin comes with; else the one whose metrics are in the answer."""
    node_label: str | None = None
    """Which label names the node, where an exporter answers for many."""
    beside: dict[str, tuple[str, ...]] = {}
    """By a node's name: addresses of its other exporters, such as that of its management controller."""
    token_file: Path | None = None
    """A bearer token."""
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 256
    """Requests at a time."""
    largest_answer_bytes: Annotated[int, Field(ge=1024, le=2**30)] = 4 * 2**20
    """Unpacked."""


def source_of(options: SourceOptions) -> PrometheusSource:
    """The source as the user wants it.

    Raises:
        ConfigurationError: an address, the map, a file or an option is wrong.
    """
    extra = extra_of(options, ScrapingOptions)
    source = PrometheusSource(options, extra, _endpoints(options, extra), _asking(options, extra))
    source.headers()
    return source


@dataclass
class PrometheusSource:
    """Asks all endpoints at once, and makes one measure of each node."""

    options: SourceOptions
    extra: ScrapingOptions
    endpoints: Sequence[Endpoint]
    asking: Asking
    name: str = "prometheus"
    _known: dict[tuple[str, str], Component] = field(default_factory=dict)

    async def discover(self) -> Sequence[Component]:
        """The nodes that answer now.

        Raises:
            Unavailable: none does.
            ConfigurationError: the user must say more of one of them.
        """
        said = await self._ask_all()
        if said.in_configuration:
            raise said.in_configuration[0]
        sampled = self._sampled(said)
        if not sampled.nodes:
            failure = sampled.failures[0]
            way_out = "See that the exporters run and that their addresses are right"
            raise Unavailable(failure.endpoint, failure.why, way_out)
        return [node.component for node in sampled.nodes]

    async def sample(self) -> Sampled:
        """What the endpoints say within `timeout_seconds`; the others are failures."""
        return self._sampled(await self._ask_all())

    async def close(self) -> None:
        """Close all connections."""
        await self.asking.client.aclose()

    def headers(self) -> Mapping[str, str]:
        """What authenticates us, read anew.

        Raises:
            ConfigurationError: a file cannot be read.
        """
        token = secret_of(f"{self.options.where}.token", None, self.extra.token_file)
        if token is not None:
            return {"Authorization": f"Bearer {token}"}
        if self.options.user is None:
            return {}
        pair = f"{self.options.user}:{password_of(self.options) or ''}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    async def _ask_all(self) -> _Said:
        said = _Said()
        try:
            headers = self.headers()
        except ConfigurationError as error:
            for endpoint in self.endpoints:
                said.fail(endpoint, [str(error)])
            return said
        deadline = time.monotonic() + self.options.timeout_seconds + SLACK_SECONDS
        async with aclosing(self.asking.answers(self.endpoints, headers)) as answers:
            async for came in answers:
                if isinstance(came, Silent):
                    said.fail(came.endpoint, [came.why])
                elif time.monotonic() < deadline:
                    said.take_in(came)
                else:
                    said.fail(came.endpoint, [NO_TIME])
        return said

    def _sampled(self, said: _Said) -> Sampled:
        by_node: defaultdict[tuple[str, str], list[Heard]] = defaultdict(list)
        for heard in said.heard:
            by_node[heard.identity.site, heard.identity.node].append(heard)
        nodes: list[NodeMeasure] = []
        failures = list(said.failures)
        for named, several in sorted(by_node.items()):
            try:
                node = joined(sorted(several, key=lambda heard: heard.about), self._known.get(named))
            except Disagreement as why:
                failures.append(Failure(named[1], str(why)))
            else:
                self._known[named] = node.component
                nodes.append(node)
        return Sampled(nodes=tuple(nodes), failures=tuple(failures))


@dataclass
class _Said:
    """What came of asking all once."""

    heard: list[Heard] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    in_configuration: list[ConfigurationError] = field(default_factory=list)

    def fail(self, endpoint: Endpoint, reasons: Iterable[str]) -> None:
        self.failures += [Failure(endpoint.shown, why) for why in reasons]

    def take_in(self, answered: Answered) -> None:
        endpoint = answered.endpoint
        try:
            heard, doubts = endpoint.heard(answered.answer, answered.at)
        except Senseless as why:
            doubts = [str(why)]
        except Garbled as why:
            doubts = [f"its answer is not of its format: {why}"]
        except ConfigurationError as error:
            self.in_configuration.append(error)
            doubts = [str(error)]
        else:
            self.heard += heard
        self.fail(endpoint, doubts)


def _endpoints(options: SourceOptions, extra: ScrapingOptions) -> list[Endpoint]:
    """Those of the targets, and what is beside them."""
    for target in options.targets:
        if target.meter:
            setting = f"targets: {target.identity.node}: meter"
            raise ConfigurationError(setting, target.identity.node, "a node: exporters are not asked for other meters")
    nodes = {target.identity.node: target for target in options.targets}
    targets = list(options.targets)
    for node, urls in extra.beside.items():
        if node not in nodes:
            raise ConfigurationError(f"{options.where}.beside", node, f"one of {', '.join(nodes)}")
        targets += [replace(nodes[node], url=url) for url in urls]
    maps = _maps(options, extra)
    return [Endpoint(target, checked_address(target), maps, extra.node_label) for target in targets]


def _maps(options: SourceOptions, extra: ScrapingOptions) -> list[FieldMap]:
    if options.field_map is not None:
        if extra.map is not None:
            raise ConfigurationError(f"{options.where}.map", extra.map, "no such option beside a field map of your own")
        return [user_map(options.field_map)]
    return [shipped_map(name) for name in (SHIPPED if extra.map is None else (extra.map,))]


def _asking(options: SourceOptions, extra: ScrapingOptions) -> Asking:
    client = httpx.AsyncClient(
        transport=PoolPerServer(tls_context(options), extra.concurrency),
        timeout=options.timeout_seconds,
        trust_env=False,
    )
    return Asking(client, extra.concurrency, options.timeout_seconds, extra.largest_answer_bytes)
