"""What workers say of their own work: how much comes in, how far behind they are, and how old it is when it is done."""

from __future__ import annotations

from pydantic import AwareDatetime

from models.names import Published, Several
from models.words import GrowingWords


class Stage(GrowingWords):
    """What is late, and since when: each delay begins at the event time of what was worked on."""

    SITE_STATE = "site_state"
    """From the end of a tick to the site's state leaving the twin."""
    SITE_ROW = "site_row"
    """From the end of a tick to the site's row being in the database."""
    NODE_ROW = "node_row"
    """From the tick of a node frame to its rows being in the database."""
    SHORTAGE_ROW = "shortage_row"
    """From the tick of a shortage event to its row being in the database."""


class Delay(Published):
    """Seconds, over what was done in the period of the sample."""

    stage: Stage
    """Which delay."""
    count: int
    """How many were measured."""
    p50: float
    """The median."""
    p95: float
    """95 of 100 took no longer."""
    p99: float
    """99 of 100 took no longer."""
    most: float
    """The longest."""


class Flow(Published):
    """What a worker read of one partition in the period of the sample."""

    topic: str
    """Without the prefix."""
    partition: int
    """Of the topic."""
    records: int
    """Read."""
    bytes: int
    """Of the values of these."""
    lag: int | None
    """Records still to be read at its end; unknown until Kafka has said where the partition ends."""


class PipelineSample(Published):
    """One worker over one period of wall time."""

    worker: str
    """The same as long as the process lives, and of no other: application, host and process."""
    app: str
    """`twin` or `store`."""
    since: AwareDatetime
    """The period's begin, by the worker's clock."""
    at: AwareDatetime
    """Its end."""
    flows: Several[Flow]
    """By topic and partition."""
    delays: Several[Delay]
    """By stage; stages without anything done are left out."""
    rows: int
    """Written to the database; none by the twin."""
    resident_bytes: int
    """Of the process, at the end."""
    cpu_seconds: float
    """Of the process, in the period."""
