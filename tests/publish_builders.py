"""What sources are told, and how they are asked, in tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from models.catalogue import shipped_catalogue
from streams.publish.measures import Identity
from streams.publish.options import SourceOptions, Target

_T = TypeVar("_T")

PATIENCE_SECONDS = 30.0


def target(url: str | None, node: str = "n1", **said: Any) -> Target:
    """A node of the site memphis, unless told otherwise."""
    return Target(Identity("memphis", node, said.pop("rack", None)), url, **said)


def options(*targets: Target, **said: Any) -> SourceOptions:
    """For these targets, with a timeout that nothing on loopback needs."""
    return SourceOptions(targets, shipped_catalogue(), **{"timeout_seconds": 10.0, **said})


def run(story: Callable[[], Awaitable[_T]]) -> _T:
    """Live through a story; one that does not end is an error."""

    async def bounded() -> _T:
        return await asyncio.wait_for(story(), PATIENCE_SECONDS)

    return asyncio.run(bounded())
