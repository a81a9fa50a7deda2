"""Clients whose Kafka is away: they ask again, and not all the time."""

import asyncio
import socket
import time

import pytest
from aiokafka.client import AIOKafkaClient

from streams.workers.refreshing import PAUSE_SECONDS, pause_after_failed_refreshes


async def refreshes_within(seconds: float) -> int:
    """How many refreshes fail, of a client that asks again whenever it hears of one, as aiokafka's fetcher does."""
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        client = AIOKafkaClient(bootstrap_servers=f"127.0.0.1:{nobody_listens.getsockname()[1]}")
        client._sync_task = asyncio.create_task(client._md_synchronizer())
        failed, until = 0, time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                assert not await client.force_metadata_update()
                failed += 1
        finally:
            await client.close()
    return failed


def test_a_client_pauses_after_each_refresh_that_no_broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 5 * PAUSE_SECONDS
    assert asyncio.run(refreshes_within(seconds)) > 20, "aiokafka pauses by itself: the module can go"

    monkeypatch.setattr(AIOKafkaClient, "_metadata_update", AIOKafkaClient._metadata_update)  # to be taken back
    pause_after_failed_refreshes()
    pause_after_failed_refreshes()

    assert 1 <= asyncio.run(refreshes_within(seconds)) <= 6
