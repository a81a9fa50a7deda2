"""The same in Quix Streams, as its documentation teaches it: a stateful function over a dataframe keyed by site.

Runs in an environment of its own (`quix.requirements.txt`), so it imports nothing of ours.
"""

from __future__ import annotations

import os
from datetime import datetime
from math import ceil
from typing import Any

from quixstreams import Application, State  # type: ignore[import-not-found]  # it is in an environment of its own


def add_up(reading: dict[str, Any], state: State) -> list[dict[str, Any]]:
    """Keep each node's newest draw and the site's sum, and tell the sum once its second is over."""
    second = ceil(datetime.fromisoformat(reading["at"]).timestamp())
    milliwatts = round(reading["power_watts"] * 1000)
    so_far = state.get("sum") or {"second": second, "nodes": 0, "milliwatts": 0}
    node = "node/" + reading["node"]
    before = state.get(node)
    state.set(node, milliwatts)
    state.set(
        "sum",
        {
            "second": second,
            "nodes": so_far["nodes"] + (before is None),
            "milliwatts": so_far["milliwatts"] + milliwatts - (before or 0),
        },
    )
    return [{"site": reading["site"], **so_far}] if second > so_far["second"] else []


def main() -> None:
    app = Application(
        broker_address=os.environ["RIVAL_KAFKA"],
        consumer_group=os.environ["RIVAL_GROUP"],
        auto_offset_reset="earliest",
        commit_interval=1.0,
        state_dir=os.environ["RIVAL_FOLDER"],
    )
    readings = app.topic(os.environ["RIVAL_READINGS"], value_deserializer="json")
    sums = app.topic(os.environ["RIVAL_SUMS"], value_serializer="json")
    app.dataframe(readings).apply(add_up, stateful=True, expand=True).to_topic(sums)
    app.run()


if __name__ == "__main__":
    main()
