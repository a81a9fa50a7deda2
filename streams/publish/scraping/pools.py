"""Connections for one client that asks very many servers: a pool for each of them.

A pool of httpx looks at all its connections and all that wait for one with every request; with a thousand servers in
one pool that costs more than everything else (`python -m benchmarks.scraping`).
"""

from __future__ import annotations

import ssl

import httpx

KEPT_SECONDS = 600.0
"""That a connection is kept while nothing is asked; httpx' own five seconds are shorter than most beats."""


class PoolPerServer(httpx.AsyncBaseTransport):
    """A transport of httpx.

    Args:
        context: What is trusted.
        connections: To one server, at most.
    """

    def __init__(self, context: ssl.SSLContext, connections: int) -> None:
        self._context = context
        self._limits = httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEPT_SECONDS
        )
        self._pools: dict[tuple[str, str, int | None], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it over the pool of its server."""
        server = request.url.scheme, request.url.host, request.url.port
        pool = self._pools.get(server)
        if pool is None:
            pool = httpx.AsyncHTTPTransport(verify=self._context, limits=self._limits, trust_env=False)
            self._pools[server] = pool
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()
