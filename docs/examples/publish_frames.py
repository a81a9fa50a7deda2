"""Publish all nodes of a site in one record a second: `python publish_frames.py HOST:PORT SITE NODES SECONDS`.

Needs kafka-python and pyarrow alone. The numbers are made up; a collector has them from its nodes.
"""

import sys
import time
from datetime import UTC, datetime

import pyarrow as pa
from kafka import KafkaProducer

TOPIC = "fleet.telemetry.v1"
HEADERS = [("ce_type", b"io.fleettwin.frame.v1"), ("content-type", b"application/vnd.apache.arrow.stream")]


def frame(site: str, nodes: int, now: datetime) -> bytes:
    """One row a node; columns that nobody measures are left out, and single values that are not known are null."""
    columns = {
        "node": pa.array([f"n{number:04}" for number in range(nodes)]),
        "type": pa.array(["h100-sxm"] * nodes),
        "at": pa.array([now] * nodes, pa.timestamp("ms", tz="UTC")),
        "sequence": pa.array([time.time_ns()] * nodes),
        "installed": pa.array([8] * nodes, pa.int16()),
        "in_service": pa.array([8] * nodes, pa.int16()),
        "allocated": pa.array([8 if number % 4 else None for number in range(nodes)], pa.int16()),
        "power_watts": pa.array([6851.3] * nodes, pa.float32()),
        "utilization": pa.array([0.93] * nodes, pa.float32()),
    }
    table = pa.table(columns).replace_schema_metadata({"site": site})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def main() -> None:
    """Publish until the seconds are over."""
    kafka, site, nodes, seconds = sys.argv[1:]
    producer = KafkaProducer(bootstrap_servers=kafka.split(","), acks="all", max_request_size=4_500_000)
    for _ in range(int(seconds)):
        value = frame(site, int(nodes), datetime.now(UTC))
        producer.send(TOPIC, key=site.encode(), value=value, headers=HEADERS)
        time.sleep(1)
    producer.close()  # sends what still waits


if __name__ == "__main__":
    main()
