"""`fleettwin twin` and `fleettwin store`: the two Faust workers."""

from __future__ import annotations

from infra.catalogues import chosen_catalogue
from infra.groups import await_coordinator
from infra.servers import database_address, kafka_address
from infra.settings import read_settings
from infra.topics import partition_counts
from models.topics import (
    DEMAND,
    FLEET_CHECKPOINTS,
    LEDGER,
    NODES,
    OPEN_SHORTAGES,
    SHORTAGES,
    SITE_CHECKPOINTS,
    SITES,
    STATE,
    TELEMETRY,
)


def twin() -> None:
    """Keep the live twin of every site and of the fleet, until SIGTERM or Ctrl-C."""
    from streams.workers.running import run_app  # noqa: PLC0415  # Faust takes a second to import
    from streams.workers.twin_app import twin_worker  # noqa: PLC0415

    settings = read_settings()
    outputs = (LEDGER, NODES, STATE, SHORTAGES, OPEN_SHORTAGES)
    wanted = (TELEMETRY, SITES, DEMAND, *outputs, SITE_CHECKPOINTS, FLEET_CHECKPOINTS)
    catalogue = chosen_catalogue(settings.twin)
    partition_counts(settings, wanted)
    await_coordinator(settings, "twin")
    run_app(twin_worker(settings, kafka_address(settings), catalogue).app)


def store() -> None:
    """Write what the twin puts out to TimescaleDB, until SIGTERM or Ctrl-C."""
    from streams.workers.running import run_app  # noqa: PLC0415  # Faust takes a second to import
    from streams.workers.store_app import store_app  # noqa: PLC0415

    settings = read_settings()
    partition_counts(settings, (NODES, STATE, SHORTAGES))
    await_coordinator(settings, "store")
    run_app(store_app(settings, kafka_address(settings), database_address(settings)))
