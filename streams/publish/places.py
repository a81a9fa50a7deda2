"""Which accelerator is which of a node, over restarts of the driver and when one has fallen off the bus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Device:
    """An accelerator as its vendor's library has named it."""

    uuid: str | None
    """None where it could not be asked."""
    model: str | None = None
    handle: Any = None
    """The library's own; none of a device that cannot be asked."""
    trouble: str | None = None
    """Why it cannot be asked."""
    lost: bool = False
    """Whether that keeps it from work, too."""


GONE = Device(uuid=None, trouble="the driver does not find it", lost=True)


def in_places(before: Sequence[Device], found: Sequence[Device]) -> list[Device]:
    """The devices found, each in the place in which it was before; what is new takes the place of what is gone.

    A place that stays empty is a device that is lost, so that a node has no fewer accelerators than it once had.
    """
    known = {device.uuid for device in before if device.uuid is not None}
    named = {device.uuid: device for device in found if device.uuid in known}
    others = [device for device in found if device.uuid not in known]
    places = []
    for old in before:
        if old.uuid in named:
            places.append(named[old.uuid])
        elif others:
            places.append(others.pop(0))
        else:
            places.append(replace(GONE, uuid=old.uuid, model=old.model))
    return places + others
