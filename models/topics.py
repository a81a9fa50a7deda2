"""The topics' names: the part of the contract that every sender and reader shares."""

from __future__ import annotations

TELEMETRY = "fleet.telemetry.v1"
"""Readings, frames and clock, keyed by site."""
SITES = "fleet.sites.v1"
"""Site facts and clock; one partition."""
DEMAND = "fleet.demand.v1"
"""Demand and clock; one partition."""
LEDGER = "fleet.ledger.v1"
"""Samples, admitted facts and demand, clock, away and back in one total order; one partition."""
NODES = "fleet.nodes.v1"
"""Node frames, keyed by site, partitioned as the telemetry they come from."""
STATE = "fleet.state.v1"
"""Site states and fleet states, one of each a tick."""
SHORTAGES = "fleet.shortages.v1"
"""Shortage events, keyed by shortage id."""
OPEN_SHORTAGES = "fleet.shortages.open.v1"
"""What is short now: the newest event of every open episode by its id, removed when it resolves; compacted."""
EVENTS = "fleet.events.v1"
"""Node events and meter readings from publishers, keyed by site; no machine reads it."""
PIPELINE = "fleet.pipeline.v1"
"""What the workers say of their own work, every few seconds; no machine reads it."""
WORKERS = "fleet.workers.v1"
"""Which worker answers for which telemetry partition, keyed by partition; compacted."""
SITE_CHECKPOINTS = "fleet.telemetry.v1.checkpoints"
FLEET_CHECKPOINTS = "fleet.ledger.v1.checkpoints"


def dead_letters(topic: str) -> str:
    """The topic that takes what is refused from `topic`."""
    return topic + ".dlq"


INPUTS = (TELEMETRY, SITES, DEMAND)
"""What others send: time enters each of their partitions as records, and some of it may be refused."""
DEAD_LETTERS = tuple(map(dead_letters, (*INPUTS, LEDGER)))
"""Where they go; the ledger is written by the workers alone, unless somebody else has got at it."""
