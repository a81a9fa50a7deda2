"""Asks many endpoints at once, so many at a time, and gives each of them its share of the time."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

import httpx

from streams.publish.scraping.endpoint import Endpoint
from streams.publish.scraping.fetching import Answer, Unanswered, fetched


@dataclass(frozen=True, slots=True)
class Answered:
    """An endpoint's answer."""

    endpoint: Endpoint
    answer: Answer
    at: int
    """When it was there, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Silent:
    """An endpoint that gave none."""

    endpoint: Endpoint
    why: str


@dataclass(frozen=True, slots=True)
class Asking:
    """How endpoints are asked.

    Args:
        client: One that follows no redirects.
        concurrency: Requests at a time.
        seconds: For all together.
        largest: Bytes that an answer may have, unpacked.
    """

    client: httpx.AsyncClient
    concurrency: int
    seconds: float
    largest: int

    async def answers(
        self, endpoints: Sequence[Endpoint], headers: Mapping[str, str]
    ) -> AsyncGenerator[Answered | Silent, None]:
        """One of each endpoint, as they come; other requests go on after each."""
        free = asyncio.Semaphore(self.concurrency)
        limit = self.seconds / math.ceil(len(endpoints) / self.concurrency)  # or those that hang would take it all

        async def ask(endpoint: Endpoint) -> Answered | Silent:
            await free.acquire()
            return await self._one(endpoint, headers, limit)

        asking = [asyncio.create_task(ask(endpoint)) for endpoint in endpoints]
        try:
            for answered in asyncio.as_completed(asking):
                yield await answered
                free.release()  # only now, or answers would pile up while requests wait for the time to be read
                await asyncio.sleep(0)
        finally:
            for task in asking:
                task.cancel()

    async def _one(self, endpoint: Endpoint, headers: Mapping[str, str], limit: float) -> Answered | Silent:
        try:
            async with asyncio.timeout(limit):
                answer = await fetched(self.client, endpoint.url, headers, self.largest)
        except TimeoutError:
            return Silent(endpoint, f"no answer within {limit:g} s")
        except Unanswered as why:
            return Silent(endpoint, str(why))
        return Answered(endpoint, answer, time.time_ns() // 1_000_000)
