"""What an unattended demo came to: counts, delays, and whether everything adds up."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cli.demo.servers import DemoServers
from infra.timescale.connection import connect
from infra.timescale.inspection import delays, row_counts
from models.instants import Instant
from streams.consumers.watching import FleetWatch
from streams.oracle.verification import Verification


def report_of(
    servers: DemoServers, watch: FleetWatch, published: dict[str, Any], verification: Verification
) -> dict[str, Any]:
    """The report; `checks` says of every sum whether it holds."""
    schema = servers.settings.database.schema_name
    with connect(servers.database_url, "fleettwin demo") as connection:
        rows = row_counts(connection, schema)
        row_delay = delays(connection, schema, Instant(0))
    observed, refused = verification.readings["observed"], verification.readings["refused"]
    intake = None if watch.fleet is None else watch.fleet.intake
    return {
        "readings": {"published": published["published"], "observed": observed, "refused": refused},
        "samples": watch.site_states,
        "rows": sum(rows.values()),
        "rows_by_table": dict(rows),
        "shortages": {"opened": watch.opened, "resolved": watch.resolved},
        "delay_seconds": {
            "twin": asdict(watch.delays()),
            "row": {"p50": row_delay.p50, "p99": row_delay.p99},
        },
        "kafka": servers.kafka,
        "database": servers.database,
        "checks": {
            "published_is_observed_and_refused": published["published"] == observed + refused,
            "kafka_holds_what_was_published": all(
                verification.telemetry_ends.get(int(partition), 0) >= end
                for partition, end in published["partitions"].items()
            ),
            "state_says_the_same": intake is not None and (intake.observed, intake.refused) == (observed, refused),
            "samples_are_rows": rows["site_samples"] == watch.site_states,
            "nothing_differs": verification.differences == 0,
        },
        "verify": verification.report(),
    }
