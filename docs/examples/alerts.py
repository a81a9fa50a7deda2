"""Follow shortages as one of a consumer group: `python alerts.py HOST:PORT GROUP`. Needs kafka-python alone.

Every event is handled at least once, and in the order of its episode; `handle` is where your work goes.
"""

import json
import sys
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

TOPIC = "fleet.shortages.v1"


def handle(event: dict[str, Any]) -> None:
    """Whatever you do about it; must bear being called again with the same `id` and `sequence`."""
    more = event["binding"]["one_more"]
    brings = "" if more is None else f"; one more {more['unit']} serves {more['serves']}"
    said = (event["change"], event["severity"], event["scope"]["name"], event["binding"]["summary"] + brings)
    print(*said, flush=True)


def main() -> None:
    """Follow until Ctrl-C."""
    kafka, group = sys.argv[1:]
    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=kafka.split(","),
        group_id=group,
        enable_auto_commit=False,  # it would commit what has not been handled yet
        auto_offset_reset="earliest",
    )
    newest: dict[str, int] = {}
    for record in consumer:
        event = json.loads(record.value)
        if event["sequence"] > newest.get(event["id"], -1):  # else it was sent again: a worker took over from another
            handle(event)
            newest[event["id"]] = event["sequence"]
        place = TopicPartition(record.topic, record.partition)
        consumer.commit({place: OffsetAndMetadata(record.offset + 1)})


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
