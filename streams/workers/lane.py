"""A lane: one partition of one input topic, the machine that folds it, and how far its outputs and state are safe.

Outputs are awaited before the state that follows them is stored, and the state before its offset is committed. So
after a crash the machine goes on from a state whose outputs are all there, and repeats at most what came after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from models.record import Outgoing, Record
from streams.workers.checkpointing import Checkpoint


class Machine(Protocol):
    """What a lane needs of a state machine."""

    def restore(self, packed: bytes) -> None:
        """Become what a snapshot was taken from."""
        ...

    def fold(self, record: Record) -> list[Outgoing]:
        """Take in a record; give what is to be sent."""
        ...

    def snapshot(self) -> bytes:
        """The state."""
        ...


Send = Callable[[Outgoing], Awaitable[Awaitable[object]]]
"""Hands a record to the producer; the inner awaitable is done when it is stored."""


class Disordered(Exception):
    """A record further on than the next one: left over from before a rebalance, or the log has a gap."""


@dataclass
class Lane:
    """State of the lane. `next_offset` is the first record that the machine has not folded."""

    topic: str
    machine: Machine
    send: Send
    next_offset: int
    slot: int = 0
    broken: bool = False
    """A record was folded and its outputs not all handed over, or not all stored: no state may be stored any more."""
    _folded: int = 0
    _flying: list[Awaitable[object]] = field(default_factory=list)
    _folding: asyncio.Lock = field(default_factory=asyncio.Lock)
    storing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def accept(self, record: Record) -> bool:
        """Fold a record and hand its outputs over; false where it had been folded already.

        Raises:
            Disordered: it is not the next one.
        """
        async with self._folding:
            if record.offset < self.next_offset or self.broken:
                return False
            if record.offset > self.next_offset:
                raise Disordered(f"offset {record.offset} where {self.next_offset} comes next")
            self.broken = True
            outputs = self.machine.fold(record)
            self.next_offset = record.offset + 1
            self._folded += 1
            for output in outputs:
                self._flying.append(await self.send(output))
            self.broken = False
            return True

    def skip_to(self, offset: int) -> None:
        """Pass over offsets that have no record."""
        self.next_offset = max(self.next_offset, offset)

    async def cut(self, generation: int) -> Checkpoint | None:
        """The state once all outputs before it are stored; none where there is nothing new, or nothing to trust.

        Raises:
            Exception: whatever the producer raised for an output that could not be stored.
        """
        async with self._folding:
            if self.broken or not self._folded:
                return None
            self.slot = 1 - self.slot
            checkpoint = Checkpoint(self.topic, self.next_offset, self.machine.snapshot(), self.slot, generation)
            flying, self._flying, self._folded = self._flying, [], 0
        try:
            await asyncio.gather(*flying)
        except BaseException:
            self.broken = True
            raise
        return checkpoint
