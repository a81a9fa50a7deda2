"""`fleettwin twin` and `fleettwin store`: the two Faust workers."""

from __future__ import annotations

from infra.servers import kafka_address
from infra.settings import read_settings
from infra.topics import partition_counts
from models.catalogue import shipped_catalogue
from models.topics import DEMAND, FLEET_CHECKPOINTS, LEDGER, NODES, SHORTAGES, SITE_CHECKPOINTS, SITES, STATE, TELEMETRY


def twin() -> None:
    """Keep the live twin of every site and of the fleet, until SIGTERM or Ctrl-C."""
    from streams.running import run_app  # noqa: PLC0415  # Faust takes a second to import
    from streams.twin_app import twin_app  # noqa: PLC0415

    settings = read_settings()
    wanted = (TELEMETRY, SITES, DEMAND, LEDGER, NODES, STATE, SHORTAGES, SITE_CHECKPOINTS, FLEET_CHECKPOINTS)
    partition_counts(settings, wanted)
    run_app(twin_app(settings, kafka_address(settings), shipped_catalogue()))
