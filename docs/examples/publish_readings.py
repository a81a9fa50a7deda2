"""Publish readings of one node, one a second: `python publish_readings.py HOST:PORT SITE NODE SECONDS`.

Needs kafka-python alone. `measured` makes numbers up; put what your node knows in its place.
"""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaProducer

TOPIC = "fleet.telemetry.v1"


def measured() -> dict[str, Any]:
    """Whatever the node knows; what it does not know it leaves out."""
    return {
        "power_watts": 6851.3,
        "utilization": 0.93,
        "accelerators": {"temperature_celsius": [61.0, 63.5, 60.0, 62.0, 61.5, 64.0, 62.5, 61.0]},
    }


def main() -> None:
    """Publish until the seconds are over."""
    kafka, site, node, seconds = sys.argv[1:]
    producer = KafkaProducer(bootstrap_servers=kafka.split(","), acks="all")
    for _ in range(int(seconds)):
        now = datetime.now(UTC)
        reading = {
            "site": site,
            "node": node,
            "rack": "r01",
            "type": "h100-sxm",
            "at": now.isoformat(),
            "sequence": time.time_ns(),  # grows over restarts, too
            "installed": 8,
            "in_service": 8,
            "allocated": 8,
            **measured(),
        }
        producer.send(TOPIC, key=site.encode(), value=json.dumps(reading).encode())
        time.sleep(1)
    producer.close()  # sends what still waits


if __name__ == "__main__":
    main()
