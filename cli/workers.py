"""`fleettwin twin` and `fleettwin store`: the two Faust workers."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import dashboards
from infra.catalogues import chosen_catalogue
from infra.groups import await_coordinator, dismiss
from infra.plain_log import log_plainly
from infra.servers import database_address, kafka_address
from infra.settings import read_settings
from infra.topics import require_topics
from models.topics import (
    DEAD_LETTERS,
    FLEET_CHECKPOINTS,
    INPUTS,
    LEDGER,
    NODES,
    OPEN_SHORTAGES,
    PIPELINE,
    SHORTAGES,
    SITE_CHECKPOINTS,
    STATE,
    WORKERS,
)

CONSOLE_PAGE = Path(dashboards.__file__).with_name("console")
"""The folder of the page that the console serves at `/`."""


def twin() -> None:
    """Keep the live twin of every site and of the fleet, until SIGTERM or Ctrl-C."""
    from streams.console.listening import listen  # noqa: PLC0415
    from streams.console.token import token_of  # noqa: PLC0415
    from streams.workers.identity import has_ended  # noqa: PLC0415  # Faust takes a second to import
    from streams.workers.running import run_app  # noqa: PLC0415
    from streams.workers.twin_app import twin_worker  # noqa: PLC0415

    settings = read_settings()
    outputs = (LEDGER, NODES, STATE, SHORTAGES, OPEN_SHORTAGES)
    wanted = (*INPUTS, *outputs, WORKERS, PIPELINE, SITE_CHECKPOINTS, FLEET_CHECKPOINTS)
    catalogue = chosen_catalogue(settings.twin)
    require_topics(settings, wanted)
    await_coordinator(settings, "twin")
    dismiss(settings, "twin", has_ended)
    address = kafka_address(settings)
    worker = twin_worker(settings, address, catalogue)
    if not settings.console.enabled:
        run_app(worker.app)
        return
    token, listening = token_of(settings.console), listen(settings.console)

    def console() -> AbstractAsyncContextManager[None]:
        from streams.console.serving import serving  # noqa: PLC0415  # FastAPI takes a second to import, too

        return serving(settings, worker.lanes, address, listening, token, CONSOLE_PAGE)

    run_app(worker.app, console)


def store() -> None:
    """Write what the twin puts out to TimescaleDB, until SIGTERM or Ctrl-C."""
    from infra.timescale.sink import TimescaleSink  # noqa: PLC0415  # slow to import, as the others
    from streams.workers.identity import has_ended  # noqa: PLC0415  # Faust takes a second to import
    from streams.workers.resuming import resume  # noqa: PLC0415
    from streams.workers.running import run_app  # noqa: PLC0415
    from streams.workers.store_app import store_app  # noqa: PLC0415

    settings = read_settings()
    counts = require_topics(settings, (NODES, STATE, SHORTAGES, PIPELINE, *DEAD_LETTERS))
    await_coordinator(settings, "store")
    dismiss(settings, "store", has_ended)
    log_plainly()
    database = database_address(settings)
    with closing(TimescaleSink(database, settings.database.schema_name, "fleettwin store, starting")) as sink:
        resume(settings, sink, counts)
    run_app(store_app(settings, kafka_address(settings), database))
