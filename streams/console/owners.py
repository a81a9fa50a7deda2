"""Who answers for which telemetry partition: what the workers say of themselves, and saying it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from models.cloudevents import EventType, headers
from models.instants import instant_of
from models.owner import Owner
from models.record import Outgoing, Record
from models.topics import WORKERS


@dataclass
class Owners:
    """The newest word of each partition."""

    by_partition: dict[int, Owner] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Take a record of the workers' topic in.

        Raises:
            ValidationError: it does not hold what it says.
        """
        if record.value is not None and record.header("ce_type") == EventType.OWNER.encode():
            owner = Owner.model_validate_json(record.value)
            self.by_partition[owner.partition] = owner

    def of(self, partition: int) -> Owner | None:
        """Who answers for a partition, as far as anybody has said."""
        return self.by_partition.get(partition)


@dataclass(frozen=True, slots=True)
class Announcer:
    """Says what this worker answers for."""

    worker: str
    url: str
    now: Callable[[], datetime]
    send: Callable[[Outgoing], Awaitable[Awaitable[object]]]

    async def announce(self, partitions: Collection[int]) -> None:
        """Say it of these partitions; returns once Kafka has it."""
        for stored in [await self.send(self._said(partition)) for partition in sorted(partitions)]:
            await stored

    def _said(self, partition: int) -> Outgoing:
        at = self.now()
        owner = Owner(partition=partition, worker=self.worker, url=self.url, at=at)
        identity = f"{self.worker}/{partition}@{instant_of(at)}"
        named = headers(EventType.OWNER, "//fleettwin/twin", identity, instant_of(at))
        return Outgoing(WORKERS, str(partition).encode(), owner.model_dump_json().encode(), named, identity, 0)
