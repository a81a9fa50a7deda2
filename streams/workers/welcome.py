"""Notices that Kafka would not let a worker in any more: its clients would ask again for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from infra.kafka_clients import greet_any
from infra.settings import KafkaSettings, SecurityProtocol
from models.errors import ConfigurationError, Unavailable
from streams.workers.giving_up import give_up

log = structlog.get_logger()

ASK_SECONDS = 5.0
REFUSALS = 2
"""So many in a row are meant: while a password is changed, one may be none."""


def stay_welcome(app: Any, kafka: KafkaSettings, address: str, security: Mapping[str, Any]) -> None:
    """Have the app end the process with exit code 2 once Kafka refuses what it was let in with; one away is waited for.

    Where Kafka asks nobody who they are there is nothing to notice.
    """
    if kafka.security_protocol is SecurityProtocol.PLAINTEXT:
        return

    async def ask_now_and_then() -> None:
        refusals = 0
        while not app.should_stop:
            await app.sleep(ASK_SECONDS)
            try:
                await asyncio.to_thread(greet_any, address, kafka, security)
                refusals = 0
            except Unavailable:
                continue
            except ConfigurationError as refused:
                refusals += 1
                if refusals == REFUSALS:
                    give_up(str(refused), exit_code=2)
                log.warning("Kafka would not let this worker in again", why=str(refused))

    app.task(ask_now_and_then)
