"""Samples: the state of one site at the close of a tick, as the site machine sees it. They travel in the ledger.

Whole numbers throughout: milliwatts, joules, parts per million, milliseconds since 1970.
"""

from __future__ import annotations

from models.names import Event, Several
from models.numbers import Newest, Tick, Whole


class Pool(Event):
    """The accelerators of one type at a site."""

    type: str
    """A catalogue id."""
    installed: Whole
    """On nodes that report or are stale; what lost nodes hold stands in `lost`."""
    in_service: Whole
    """Of these, usable: the node is neither draining, in maintenance nor failed."""
    allocated: Whole
    """Bound to work, on nodes not lost."""
    free: Whole
    """In service, not allocated, on a node that reports."""
    held_idle: Whole
    """Allocated, on a node whose utilisation has been near zero for a configured time."""
    allocation_unknown: Whole
    """In service on nodes that do not say what is allocated; neither free nor allocated."""
    lost: Whole
    """Installed on nodes that are lost."""
    free_per_node: Several[Whole]
    """How many nodes have exactly 0, 1, 2, ... free accelerators; nodes without any in service are left out."""
    utilization_ppm: Whole
    """Mean over the accelerators in service whose utilisation is known."""
    utilization_known: Whole
    """How many these are."""


class NodeCounts(Event):
    """Nodes by how lately they were heard, and, of those not lost, by what they say of themselves."""

    reporting: Whole
    """Heard lately."""
    stale: Whole
    """Not heard lately, and not yet lost."""
    lost: Whole
    """Not heard for long."""
    in_service: Whole
    """Not lost, by their own word."""
    draining: Whole
    """Not lost, by their own word."""
    maintenance: Whole
    """Not lost, by their own word."""
    failed: Whole
    """Not lost, by their own word."""


class PowerSplit(Event):
    """IT milliwatts by how we know them."""

    measured: Whole
    """Of nodes that report their watts."""
    modelled: Whole
    """From utilisation, by the catalogue's model."""
    carried: Whole
    """The last word of stale nodes, measured or modelled."""
    unknown_nodes: Whole
    """Nodes, not lost, that say neither watts nor utilisation; they are in none of the sums."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.measured + self.modelled + self.carried


class Intake(Event):
    """What became of the readings so far: counts since the first, repeats included."""

    observed: Whole
    """Taken in; late, duplicate and superseded ones included."""
    duplicate: Whole
    """Same node, same `at` and `sequence` as one already known."""
    superseded: Whole
    """Older than what the node had already said; nothing changed by them."""
    late: Whole
    """Came after their tick had closed."""
    refused: Whole
    """Rows turned away at the edge."""


class SiteSample(Event):
    """One site at the close of one tick."""

    site: str
    """Its name."""
    tick: Tick
    """The instant of the sample."""
    nodes: NodeCounts
    """How many there are, by how they are."""
    pools: Several[Pool]
    """By type, sorted."""
    power: PowerSplit
    """What they draw."""
    energy_joules: Whole
    """Since the first reading; between two readings of a node the mean of both watts counts."""
    gaps: Whole
    """Pairs of readings further apart than the longest gap; no energy was counted between them."""
    newest: Newest
    """The newest `at` of any node."""
    intake: Intake
    """Readings so far."""
