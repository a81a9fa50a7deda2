"""What stands in the ledger from other topics: repeats dropped, each fact and demand held for the tick it counts from.

From which tick a record counts depends on its own time and on its own topic's clock alone, so it does not matter how
the ledger interleaves topics and partitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from models.instants import instant_of, tick_at_or_after, tick_at_or_before
from models.ledger import Admitted, AdmittedClock
from models.topics import DEMAND, SITES
from twin.admission import Body
from twin.heads import InputsHead
from twin.rules import Rules


@dataclass
class Inputs:
    """How far each input topic has come, and what is held."""

    rules: Rules
    offsets: dict[str, int] = field(default_factory=dict)
    """By topic: the next offset that is not a repeat."""
    clocks: dict[str, int] = field(default_factory=dict)
    held: dict[int, list[Admitted]] = field(default_factory=dict)

    def admit(self, admitted: Admitted) -> None:
        """Take in a record of the ledger, unless it is a repeat."""
        source, body = admitted.source, admitted.body
        if source.offset < self.offsets.get(source.topic, 0):
            return
        self.offsets[source.topic] = source.offset + 1
        clock = self.clocks.get(source.topic)
        if isinstance(body, AdmittedClock):
            self.clocks[source.topic] = max(int(instant_of(body.until)), clock or 0)
            return
        tick = int(tick_at_or_after(instant_of(body.at), self.rules.tick))
        if clock is not None:
            tick = max(tick, self._closed(clock) + self.rules.tick)
        self.held.setdefault(tick, []).append(admitted)

    def through(self) -> int | None:
        """The last tick for which both inputs have sent everything."""
        if not {SITES, DEMAND} <= self.clocks.keys():
            return None
        return min(self._closed(clock) for clock in self.clocks.values())

    def due(self, tick: int) -> list[Admitted]:
        """What counts from this tick on, in canonical order: by time, facts, tenants, demand, ends, then by content."""
        ready = [admitted for due in list(self.held) if due <= tick for admitted in self.held.pop(due)]
        return sorted(ready, key=_canonical)

    def _closed(self, clock: int) -> int:
        return tick_at_or_before(clock - self.rules.grace, self.rules.tick)

    def bodies(self) -> Iterator[Body]:
        """What is held."""
        return (admitted.body for some in self.held.values() for admitted in some)

    def head(self) -> dict[str, Any]:
        """What `restore` needs."""
        held = [[tick, [one.model_dump(mode="json") for one in self.held[tick]]] for tick in sorted(self.held)]
        return {"offsets": self.offsets, "clocks": self.clocks, "held": held}

    def restore(self, head: InputsHead) -> None:
        """Become what `head` was taken from."""
        self.offsets, self.clocks = head.offsets, head.clocks
        self.held = {tick: [Admitted.model_validate(one) for one in some] for tick, some in head.held}


def _canonical(admitted: Admitted) -> tuple[int, str, str]:
    body = admitted.body
    moment = body.until if isinstance(body, AdmittedClock) else body.at
    return instant_of(moment), _RANK[body.kind], body.model_dump_json()


_RANK = {"clock": "0", "facts": "1", "tenant": "2", "demand": "3", "end": "4"}
