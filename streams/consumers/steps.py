"""What a member of a consumer group is given: first the past, then what is new; and the port through which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from models.record import Record


@dataclass(frozen=True, slots=True)
class Past:
    """A record that the group is done with."""

    record: Record


@dataclass(frozen=True, slots=True)
class Begun:
    """All of the past was given; what comes next is new to the group, from `offset` on."""

    offset: int
    end: int
    """The offset after the last record that there is."""
    first_time: bool
    """The group has never committed anything."""


@dataclass(frozen=True, slots=True)
class New:
    """A record that the group is not done with."""

    record: Record


Step = Past | Begun | New


class Reading(Protocol):
    """A partition while it is ours."""

    @property
    def term(self) -> int:
        """Another one each time that it becomes ours."""
        ...

    @property
    def drained(self) -> bool:
        """Whether nothing waits to be taken."""
        ...

    def take(self, seconds: float = ...) -> Step | None:
        """The next step, if one comes within so many seconds."""
        ...

    def holds(self, term: int) -> bool:
        """Whether the partition has been ours without a break since that term began."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass; ends early where one should stop, or the partition is lost."""
        ...

    def commit(self, offset: int) -> bool:
        """Let the group be done with all before the offset; false where that is not ours to say any more."""
        ...
