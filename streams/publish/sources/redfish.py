"""Management controllers and power distribution units over Redfish: what nodes draw as a whole, and meters beside them.

A sample is what the services meter at that moment. The same watts pass several levels; nothing is added up.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import aiohttp
from aiohttp.connector import NEEDS_CLEANUP_CLOSED
from pydantic import BaseModel, ConfigDict, Field

from models.errors import ConfigurationError, Unavailable
from streams.publish.addresses import checked_address, tls_context
from streams.publish.measures import Component, MeterLevel, Sampled
from streams.publish.metering.connection import BoundedResponse, Connection, Unanswered
from streams.publish.metering.service import Service
from streams.publish.options import SourceOptions, Target, extra_of, password_of

CONNECTIONS_PER_SERVICE = 4
"""Controllers are slow, and slower when asked for more at a time."""

SLACK_SECONDS = 0.5
"""After the timeout, in which a request that hangs is told from a service that is slow."""


class MeteringOptions(BaseModel):
    """What `options` may say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    node_meter: str | dict[str, str] | None = None
    """The path of the chassis, or of its meter, that is the node's; one for all, or by the node's name."""
    levels: Annotated[frozenset[MeterLevel], Field(min_length=1)] = frozenset(MeterLevel)
    """What is read; outlets are many requests."""
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 256
    """Services at a time."""


def source_of(options: SourceOptions) -> RedfishSource:
    """The source as the user wants it.

    Raises:
        ConfigurationError: an address, a file or an option is wrong, or a node lacks its type or its accelerators.
    """
    extra = extra_of(options, MeteringOptions)
    for target in options.targets:
        _check(target, options)
    nodes = {target.identity.node for target in options.targets if not target.meter}
    for node in extra.node_meter if isinstance(extra.node_meter, Mapping) else ():
        if node not in nodes:
            raise ConfigurationError(f"{options.where}.node_meter", node, f"one of {', '.join(sorted(nodes))}")
    password_of(options)
    tls_context(options)
    return RedfishSource(options, extra)


@dataclass
class RedfishSource:
    """Asks all services at once."""

    options: SourceOptions
    extra: MeteringOptions
    name: str = "redfish"
    _session: aiohttp.ClientSession | None = None
    _services: Sequence[Service] = ()

    async def discover(self) -> Sequence[Component]:
        """The nodes, as the configuration has them, of which at least one service answers.

        Raises:
            Unavailable: none does.
            ConfigurationError: several meters could be a node's; names them.
        """
        services = self._opened()
        seconds = self.options.timeout_seconds + SLACK_SECONDS
        said = await asyncio.gather(*(service.discover(seconds) for service in services), return_exceptions=True)
        for error in said:
            if error is not None and not isinstance(error, Unanswered):
                raise error
        if all(isinstance(error, Unanswered) for error in said):
            way_out = "See that the services run, that their addresses are right, and who may log in"
            raise Unavailable(services[0].shown, str(said[0]), way_out)
        return [service.component for service in services if service.component is not None]

    async def sample(self) -> Sampled:
        """What the services say within `timeout_seconds`; the others are failures."""
        services = self._opened()
        free = asyncio.Semaphore(self.extra.concurrency)
        limit = self.options.timeout_seconds / math.ceil(len(services) / self.extra.concurrency)

        async def one(service: Service) -> Sampled:
            async with free:
                return await service.sample(limit)

        several = await asyncio.gather(*(one(service) for service in services))
        return Sampled(
            nodes=tuple(node for each in several for node in each.nodes),
            meters=tuple(meter for each in several for meter in each.meters),
            failures=tuple(failure for each in several for failure in each.failures),
        )

    async def close(self) -> None:
        """Log out everywhere, for as long as a request may take, and close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await asyncio.gather(*(service.close() for service in self._services))
            await session.close()
        self._services = ()

    def _opened(self) -> Sequence[Service]:
        """The services; connections belong to the loop that runs, so they are made when they are needed."""
        if self._session is None:
            limit = self.extra.concurrency * CONNECTIONS_PER_SERVICE
            connector = aiohttp.TCPConnector(
                ssl=tls_context(self.options),
                limit=limit,
                limit_per_host=CONNECTIONS_PER_SERVICE,
                enable_cleanup_closed=NEEDS_CLEANUP_CLOSED,  # or TLS to a service that hangs is never let go
            )
            session = aiohttp.ClientSession(
                connector=connector, response_class=BoundedResponse, cookie_jar=aiohttp.DummyCookieJar()
            )
            self._session = session
            self._services = [self._service(target, session) for target in self.options.targets]
        return self._services

    def _service(self, target: Target, session: aiohttp.ClientSession) -> Service:
        connection = Connection(
            url=checked_address(target).rstrip("/"),
            session=session,
            user=self.options.user,
            password=lambda: password_of(self.options),
            seconds=self.options.timeout_seconds,
        )
        said, node = self.extra.node_meter, target.identity.node
        chosen = said.get(node) if isinstance(said, Mapping) else said
        return Service(target, connection, self._levels(target), chosen, f"{self.options.where}.node_meter")

    def _levels(self, target: Target) -> frozenset[MeterLevel]:
        """A node is measured by one of its chassis, whatever else is read."""
        return self.extra.levels if target.meter else self.extra.levels | {MeterLevel.CHASSIS}


def _check(target: Target, options: SourceOptions) -> None:
    url, where = checked_address(target), f"targets: {target.identity.node}"
    parts = urlsplit(url)
    if parts.path not in ("", "/") or parts.query:
        raise ConfigurationError(f"{where}: url", url, "https://host or https://host:port, without a path")
    if options.user is not None and parts.scheme != "https":
        raise ConfigurationError(f"{where}: url", url, "https, as a password is sent there")
    if not target.meter and target.type is None:
        raise ConfigurationError(f"{where}: type", None, "an id of the catalogue; Redfish does not say it")
    if not target.meter and target.installed is None:
        raise ConfigurationError(f"{where}: installed", None, "how many accelerators it has; Redfish does not say it")
