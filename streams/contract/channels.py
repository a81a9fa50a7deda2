"""The topics of the contract: who may write what there, under which key, and who reads it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models import topics


class Side(StrEnum):
    """On which side of fleettwin a topic lies."""

    INPUT = "input"
    OUTPUT = "output"
    DEAD_LETTERS = "dead letters"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic; `key` says what the records' keys are."""

    name: str
    topic: str
    side: Side
    title: str
    about: str
    key: str
    messages: tuple[str, ...]
    read_by_us: bool = False
    """Whether workers read what workers write there."""


_REFUSED_KEY = "As the refused record's."


def _dead_letters(name: str, topic: str, title: str) -> Channel:
    about = f"What was refused from `{topic}`, with the reason. Nothing that stands here has changed the twin."
    return Channel(
        f"{name}-dead-letters",
        topics.dead_letters(topic),
        Side.DEAD_LETTERS,
        f"{title}, refused",
        about,
        _REFUSED_KEY,
        ("dead-letter",),
        read_by_us=True,
    )


CHANNELS = (
    Channel(
        "telemetry",
        topics.TELEMETRY,
        Side.INPUT,
        "Telemetry",
        "What nodes measure. A site's readings share a partition, by Kafka's default partitioner, and so an order.",
        "The site's name in UTF-8; a clock needs none.",
        ("reading", "frame", "clock"),
    ),
    Channel(
        "sites",
        topics.SITES,
        Side.INPUT,
        "Site facts",
        "What no node can know of its site: supply, PUE, expected inventory.",
        "Any; the site's name is good practice.",
        ("site-facts", "clock"),
    ),
    Channel(
        "demand",
        topics.DEMAND,
        Side.INPUT,
        "Demand",
        "What projects ask for and were granted, and the quotas of tenants.",
        "Any; the demand's or tenant's name is good practice.",
        ("demand-revised", "demand-ended", "tenant-revised", "clock"),
    ),
    Channel(
        "nodes",
        topics.NODES,
        Side.OUTPUT,
        "Nodes",
        "Every node as the twin holds it. A site is in the same partition as in telemetry.",
        "The site's name in UTF-8.",
        ("node-frame",),
        read_by_us=True,
    ),
    Channel(
        "state",
        topics.STATE,
        Side.OUTPUT,
        "States",
        "One state of every site and one of the fleet for each tick (1 s unless configured), sites first.",
        "The site's name in UTF-8; `fleet` for the fleet.",
        ("site-state", "fleet-state"),
        read_by_us=True,
    ),
    Channel(
        "shortages",
        topics.SHORTAGES,
        Side.OUTPUT,
        "Shortage events",
        "Every opening, material change and end of a shortage.",
        "The shortage's id.",
        ("shortage",),
        read_by_us=True,
    ),
    Channel(
        "open-shortages",
        topics.OPEN_SHORTAGES,
        Side.OUTPUT,
        "Open shortages",
        "The newest event of every shortage that is open; read it from its beginning to learn what is short now.",
        "The shortage's id.",
        ("shortage", "shortage-resolved"),
        read_by_us=True,
    ),
    Channel(
        "events",
        topics.EVENTS,
        Side.OUTPUT,
        "Node events and meters",
        "What publishers see beside what nodes measure: errors, faults and throttling, when they begin and end, and"
        " meters that are no node's. The twin does not read it.",
        "The site's name in UTF-8.",
        ("node-event", "meter-reading"),
    ),
    _dead_letters("telemetry", topics.TELEMETRY, "Telemetry"),
    _dead_letters("sites", topics.SITES, "Site facts"),
    _dead_letters("demand", topics.DEMAND, "Demand"),
    _dead_letters("ledger", topics.LEDGER, "Ledger"),
    Channel(
        "ledger",
        topics.LEDGER,
        Side.INTERNAL,
        "Ledger",
        "All that the fleet machine folds, in one total order.",
        "The record's identity.",
        ("samples", "admitted", "away", "back"),
        read_by_us=True,
    ),
    Channel(
        "pipeline",
        topics.PIPELINE,
        Side.INTERNAL,
        "Pipeline",
        "What the workers say of their own work.",
        "The worker's name.",
        ("pipeline-sample",),
        read_by_us=True,
    ),
    Channel(
        "workers",
        topics.WORKERS,
        Side.INTERNAL,
        "Workers",
        "Which worker answers for which partition of telemetry.",
        "The partition's number.",
        ("owner",),
        read_by_us=True,
    ),
    Channel(
        "telemetry-checkpoints",
        topics.SITE_CHECKPOINTS,
        Side.INTERNAL,
        "Checkpoints of sites",
        "The states of site machines, by partition of telemetry.",
        "Input topic, slot and piece.",
        ("checkpoint",),
        read_by_us=True,
    ),
    Channel(
        "ledger-checkpoints",
        topics.FLEET_CHECKPOINTS,
        Side.INTERNAL,
        "Checkpoints of the fleet",
        "The states of the fleet machine and of admission.",
        "Input topic, slot and piece.",
        ("checkpoint",),
        read_by_us=True,
    ),
)
