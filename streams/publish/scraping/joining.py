"""One node of which several exporters speak, such as one of its accelerators and one of its management controller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.publish.measures import AcceleratorMeasure, Component, Identity, NodeMeasure


@dataclass(frozen=True, slots=True)
class Heard:
    """What one exporter says of one node at one instant."""

    identity: Identity
    at: int
    """In milliseconds since 1970."""
    type: str | None = None
    """None where neither the exporter nor the user says it."""
    installed: int | None = None
    accelerators: tuple[AcceleratorMeasure, ...] = ()
    power_watts: float | None = None
    energy_joules: float | None = None
    missing: tuple[str, ...] = ()
    about: str = ""


class Disagreement(Exception):
    """What is said of a node does not go together, or is not enough."""


def joined(several: Sequence[Heard], known: Component | None) -> NodeMeasure:
    """One measure of what all say of one node.

    Args:
        several: At least one, all of the same node.
        known: What the node was before, for when an exporter that says it is away.

    Raises:
        Disagreement: two say the same thing of it, or nobody says its type or how many accelerators it has.
    """
    with_accelerators = [heard for heard in several if heard.accelerators]
    if len(with_accelerators) > 1:
        raise Disagreement(f"several exporters speak of its accelerators: {_abouts(with_accelerators)}")
    metering = [heard for heard in several if heard.power_watts is not None or heard.energy_joules is not None]
    if len(metering) > 1:
        raise Disagreement(f"several exporters meter the node: {_abouts(metering)}")
    type_ = next((heard.type for heard in [*with_accelerators, *several] if heard.type), known and known.type)
    installed = next(
        (heard.installed for heard in [*with_accelerators, *several] if heard.installed), known and known.installed
    )
    if not type_ or not installed:
        raise Disagreement("no exporter speaks of its accelerators; say `type` and `installed` in the configuration")
    meter = metering[0] if metering else None
    return NodeMeasure(
        component=Component(several[0].identity, type_, installed, _abouts(several)),
        at=min(heard.at for heard in several),
        accelerators=with_accelerators[0].accelerators if with_accelerators else (),
        power_watts=None if meter is None else meter.power_watts,
        energy_joules=None if meter is None else meter.energy_joules,
        missing=tuple(dict.fromkeys(name for heard in several for name in heard.missing)),
    )


def _abouts(several: Sequence[Heard]) -> str:
    return "; ".join(heard.about for heard in several)
