"""aiokafka's metadata while no broker answers: it is asked for again without a pause, all of a core, by each client."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.client import AIOKafkaClient

PAUSE_SECONDS = 0.1
"""As long as aiokafka's clients wait, unless told otherwise, before they try anything else again."""


def pause_after_failed_refreshes() -> None:
    """Have every client of this process wait for `PAUSE_SECONDS` after a refresh that no broker has answered.

    A client asks again as soon as it was told that there is no answer, and a broker that is starting, on the same
    machine, refuses at once: clients took a core, and Kafka was back later for it. Calling this again changes nothing.
    """
    AIOKafkaClient._metadata_update = _metadata_update  # private, and what every refresh of a client goes through


_refresh_once = AIOKafkaClient._metadata_update


async def _metadata_update(self: AIOKafkaClient, cluster_metadata: Any, topics: Any) -> Any:
    refreshed = await _refresh_once(self, cluster_metadata, topics)
    if not refreshed:
        await asyncio.sleep(PAUSE_SECONDS)
    return refreshed
