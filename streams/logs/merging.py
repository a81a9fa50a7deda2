"""One order for the records of many partitions: by timestamp, and within a partition as they stand there."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from models.record import Record

Place = tuple[str, int]
"""A topic and a partition."""


class Merge:
    """Takes records of each partition in, in their order, and gives them out in one order for all.

    A record goes out once every partition that is still open has one waiting, since a partition that has none yet may
    bring an older one. So the order does not depend on when which partition was read.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._waiting: dict[Place, deque[Record]] = {place: deque() for place in places}
        self._open = set(self._waiting)
        self._behind = set(self._waiting)
        """Open partitions of which nothing waits."""
        self._heads: list[tuple[int, Place]] = []
        self._bytes = dict.fromkeys(self._waiting, 0)

    @property
    def open(self) -> frozenset[Place]:
        """The partitions that are waited for."""
        return frozenset(self._open)

    def waiting_bytes(self, place: Place) -> int:
        """How much of a partition waits."""
        return self._bytes[place]

    def add(self, place: Place, record: Record) -> None:
        """Take the partition's next record in."""
        queue = self._waiting[place]
        if not queue:
            heapq.heappush(self._heads, (record.timestamp, place))
            self._behind.discard(place)
        queue.append(record)
        self._bytes[place] += _size(record)

    def close(self, place: Place) -> None:
        """Do not wait for this partition any more; what comes of it still goes out."""
        self._open.discard(place)
        self._behind.discard(place)

    def ready(self) -> list[Record]:
        """The records whose turn has come."""
        out: list[Record] = []
        while self._heads and not self._behind:
            _, place = heapq.heappop(self._heads)
            queue = self._waiting[place]
            record = queue.popleft()
            self._bytes[place] -= _size(record)
            out.append(record)
            if queue:
                heapq.heappush(self._heads, (queue[0].timestamp, place))
            elif place in self._open:
                self._behind.add(place)
        return out


def merged(partitions: Mapping[Place, Iterator[Record]]) -> Iterator[Record]:
    """The records of partitions that can be read one by one, in the order in which `Merge` gives them out."""
    heads = []
    for place, records in partitions.items():
        first = next(records, None)
        if first is not None:
            heads.append((first.timestamp, place, first, records))
    heapq.heapify(heads)
    while heads:
        _, place, record, records = heads[0]
        yield record
        following = next(records, None)
        if following is None:
            heapq.heappop(heads)
        else:
            heapq.heapreplace(heads, (following.timestamp, place, following, records))


def _size(record: Record) -> int:
    return len(record.key or b"") + len(record.value or b"") + sum(len(value) for _, value in record.headers)
