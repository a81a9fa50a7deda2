"""What an unattended demo came to: counts, delays, and whether everything adds up."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cli.demo.looking import RowLook
from cli.demo.servers import DemoServers
from streams.consumers.watching import FleetWatch
from streams.oracle.verification import Verification


def report_of(
    servers: DemoServers, look: RowLook, watch: FleetWatch, published: dict[str, Any], verification: Verification
) -> dict[str, Any]:
    """The report; `checks` says of every sum whether it holds."""
    rows, row_delay = look.counts(), look.all_delays()
    observed, refused = verification.readings["observed"], verification.readings["refused"]
    intake = None if watch.fleet is None else watch.fleet.intake
    return {
        "readings": {"published": published["published"], "observed": observed, "refused": refused},
        "samples": watch.site_states,
        "rows": sum(rows.values()),
        "rows_by_table": dict(rows),
        "shortages": {"opened": watch.opened, "resolved": watch.resolved, "by_kind": watch.by_kind},
        "delay_seconds": {
            "twin": asdict(watch.delays()),
            "row": {"p50": row_delay.p50, "p99": row_delay.p99},
        },
        "kafka": servers.kafka,
        "database": servers.database,
        "console": None if servers.console is None else servers.console.url,
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
