"""A worker that gets stuck after a while, in one of the ways that were seen.

    python -m tests.faults.blocked twin|store loop|agent|group RECORDS

`loop`: something blocks the event loop. `agent`: the loop turns, and an agent waits for what never comes. `group`: the
worker is thrown out of its consumer group, and what is to join it again waits for what never comes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from aiokafka.consumer.group_coordinator import GroupCoordinator

from cli.main import run
from infra.groups import dismiss
from infra.settings import read_settings
from streams.workers.identity import client_name
from streams.workers.lanes import Lanes
from streams.workers.store_app import Writer

FOR_EVER_SECONDS = 3600.0

_KINDS: dict[str, type[Any]] = {"twin": Lanes, "store": Writer}


def block(name: str, how: str, records: int) -> None:
    """Have a worker of this name get stuck after so many records."""
    kind = _KINDS[name]
    accept, seen = kind.accept, [0]

    async def stuck(self: Any, message: Any) -> None:
        seen[0] += 1
        if seen[0] > records and how == "loop":
            time.sleep(FOR_EVER_SECONDS)
        if seen[0] > records and how == "agent":
            await _for_ever()
        if seen[0] == records and how == "group":
            GroupCoordinator._do_rejoin_group = _for_ever
            await asyncio.to_thread(dismiss, read_settings(), name, lambda client: client == client_name(name))
        await accept(self, message)

    kind.accept = stuck


async def _for_ever(*_: object) -> None:
    await asyncio.Event().wait()


if __name__ == "__main__":
    worker, how, records = sys.argv[1:]
    block(worker, how, int(records))
    sys.argv[1:] = [worker]
    run()
