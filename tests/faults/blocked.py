"""A worker that gets stuck after a while, in one of the ways that were seen.

    python -m tests.faults.blocked twin|store loop|agent RECORDS

`loop`: something blocks the event loop. `agent`: the loop turns, and an agent waits for what never comes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from cli.main import run
from streams.workers.lanes import Lanes
from streams.workers.store_app import Writer

FOR_EVER_SECONDS = 3600.0


def block(kind: type[Any], how: str, records: int) -> None:
    """Have every worker of this kind get stuck after so many records."""
    accept, seen = kind.accept, [0]

    async def stuck(self: Any, message: Any) -> None:
        seen[0] += 1
        if seen[0] > records:
            if how == "loop":
                time.sleep(FOR_EVER_SECONDS)
            await asyncio.Event().wait()
        await accept(self, message)

    kind.accept = stuck


if __name__ == "__main__":
    worker, how, records = sys.argv[1:]
    block({"twin": Lanes, "store": Writer}[worker], how, int(records))
    sys.argv[1:] = [worker]
    run()
