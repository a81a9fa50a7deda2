"""Makes a log of twenty seconds: one site of 16 accelerators, and a project that waits for 99 until it gives up.

    python small_log.py short.log

What `fleettwin record` writes looks the same; here nothing has to run for it.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.recordlog import LogHeader, LogWriter
from models.partitioning import NOT_PLACED
from models.record import Record

BEGIN = datetime(2027, 1, 15, 8, tzinfo=UTC)
TELEMETRY, SITES, DEMAND = "fleet.telemetry.v1", "fleet.sites.v1", "fleet.demand.v1"


def record(topic: str, key: str, at: datetime, body: dict[str, object], kind: str | None = None) -> Record:
    """A record that was sent at its own event time, and has no partition yet."""
    headers = () if kind is None else (("ce_type", kind.encode()),)
    milliseconds = round(at.timestamp() * 1000)
    return Record(topic, NOT_PLACED, NOT_PLACED, milliseconds, key.encode(), json.dumps(body).encode(), headers)


def asked(at: datetime, wanted: int) -> Record:
    """What the project asks for from now on."""
    body = {"demand": "pretrain", "project": "frontier", "at": at.isoformat(), "wanted": wanted, "types": ["h100-sxm"]}
    return record(DEMAND, "pretrain", at, body)


with LogWriter(Path(sys.argv[1]), LogHeader(created_by="docs/examples/small_log.py")) as log:
    site = {"site": "memphis", "at": BEGIN.isoformat(), "supply_watts": 150_000, "pue": 1.2}
    log.append(record(SITES, "memphis", BEGIN, site))
    log.append(asked(BEGIN, 99))
    for second in range(20):
        now = BEGIN + timedelta(seconds=second)
        if second == 12:
            log.append(asked(now, 8))
        for node in ("n1", "n2"):
            reading = {"site": "memphis", "node": node, "type": "h100-sxm", "at": now.isoformat(), "sequence": second}
            counts = {"installed": 8, "in_service": 8, "allocated": 0, "power_watts": 1200.5}
            log.append(record(TELEMETRY, "memphis", now, reading | counts))
        passed = now + timedelta(milliseconds=500)
        for topic in (TELEMETRY, SITES, DEMAND):
            log.append(record(topic, "clock", passed, {"until": passed.isoformat()}, "io.fleettwin.clock.v1"))
