"""What happens to a node beside what it measures: errors, faults and throttling, when each begins and when it ends."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from models.names import Name, Published, Several
from models.numbers import Offset, Place, Whole
from models.words import GrowingWords


class NodeEventKind(GrowingWords):
    """What is the matter."""

    XID = "xid"
    """NVIDIA's driver has reported an error; `code` is its number."""
    FAULT = "fault"
    """The accelerator cannot be given work; `detail` says why."""
    THROTTLE = "throttle"
    """The accelerator runs slower than it could; `reasons` say why."""


class ThrottleReason(GrowingWords):
    """Why an accelerator runs slower than it could."""

    POWER = "power"
    """Its own power limit, or one that software has set."""
    THERMAL = "thermal"
    """It, or its memory, is too hot."""
    HARDWARE = "hardware"
    """The board slows itself: a power brake, or a slowdown of another cause."""
    SYNC = "sync"
    """Others that it is synchronised with are slower."""


class NodeEventChange(StrEnum):
    """Which end of it this is."""

    BEGAN = "began"
    ENDED = "ended"


class NodeEvent(Published):
    """Something that began or ended on a node. Its publisher has seen that between two of its looks."""

    site: Name
    """Where the node is; the record's key is the same."""
    node: Name
    """Its name, unique within the site."""
    rack: Name | None = None
    """Where it stands, if that is known."""
    at: AwareDatetime
    """When it was noticed."""
    sequence: Offset
    """Grows with every reading and event of the node's publisher, over restarts too."""
    kind: NodeEventKind
    """What is the matter."""
    change: NodeEventChange
    """Whether it began or ended."""
    accelerator: Place | None = None
    """Which accelerator, from 0 in the node's own order; null where it is the whole node."""
    code: Whole | None = None
    """The number of an `xid`."""
    reasons: Several[ThrottleReason] = ()
    """Those of a `throttle` that began or ended, sorted; others may go on."""
    detail: str | None = None
    """For people: what is known of it."""
