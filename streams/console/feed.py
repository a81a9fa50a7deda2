"""What happens, told to everyone who listens: server-sent events, the newest of them kept for who comes back.

An event's id says how far the teller had read the topics, so that whoever lost one worker goes on at another.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace

from sse_starlette.event import ServerSentEvent

MOST_LISTENERS = 64
MOST_WAITING = 64
"""Events that wait for one listener; whoever is further behind is cut off, and comes back for what is kept."""
MOST_KEPT_BYTES = 8 * 1024 * 1024

_ID = re.compile(r"(\d{1,18})\.(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Place:
    """How far what was told reaches: the next offset of each topic."""

    states: int = 0
    shortages: int = 0

    def __str__(self) -> str:
        return f"{self.states}.{self.shortages}"

    @classmethod
    def parse(cls, text: str | None) -> Place | None:
        """The place that an event's id names; none where it names none."""
        found = _ID.fullmatch(text or "")
        return None if found is None else cls(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class _Told:
    """One event as bytes: either a shortage or a part of a tick."""

    place: Place
    shortage: bool
    chunk: bytes

    def comes_after(self, place: Place) -> bool:
        if self.shortage:
            return self.place.shortages > place.shortages
        return self.place.states > place.states


@dataclass
class Feed:
    """The listeners and what is kept for them. `fresh` gives the events that tell somebody new how things stand."""

    fresh: Callable[[], Iterable[tuple[str, str]]]
    place: Place = field(default_factory=Place)
    _kept: deque[_Told] = field(default_factory=deque)
    _kept_bytes: int = 0
    _kept_from: Place = field(default_factory=Place)
    """Everything told since then is kept."""
    _listeners: set[asyncio.Queue[bytes | None]] = field(default_factory=set)
    _closed: bool = False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    @property
    def full(self) -> bool:
        """Whether nobody else may listen."""
        return self.listeners >= MOST_LISTENERS

    def begin(self, place: Place) -> None:
        """Say from where on things are told; what was kept is forgotten."""
        self.place = self._kept_from = place
        self._kept.clear()
        self._kept_bytes = 0

    def tell_shortage(self, body: str, next_offset: int) -> None:
        """Tell of a shortage event, read just before that offset."""
        self.place = replace(self.place, shortages=max(next_offset, self.place.shortages))
        self._tell(_Told(self.place, shortage=True, chunk=_encoded("shortage", body, self.place)))

    def tell_tick(self, sites: str, fleet: str, next_offset: int) -> None:
        """Tell of a tick: its sites, then the fleet, read just before that offset."""
        self.place = replace(self.place, states=max(next_offset, self.place.states))
        # The first half has no id: whoever has it alone gets both again.
        self._tell(_Told(self.place, shortage=False, chunk=_encoded("sites", sites, None)))
        self._tell(_Told(self.place, shortage=False, chunk=_encoded("fleet", fleet, self.place)))

    def _tell(self, told: _Told) -> None:
        self._kept.append(told)
        self._kept_bytes += len(told.chunk)
        while self._kept_bytes > MOST_KEPT_BYTES:
            gone = self._kept.popleft()
            self._kept_bytes -= len(gone.chunk)
            self._kept_from = gone.place
        for queue in tuple(self._listeners):
            try:
                queue.put_nowait(told.chunk)
            except asyncio.QueueFull:
                self._cut_off(queue)

    async def listen(self, after: Place | None) -> AsyncIterator[bytes]:
        """Events as bytes: what is kept after that place, or how things stand if that is not known; then what comes."""
        if self._closed:
            return
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)
        self._listeners.add(queue)
        try:
            for chunk in self._missed(after):
                yield chunk
            while (news := await queue.get()) is not None:
                yield news
        finally:
            self._listeners.discard(queue)

    def _missed(self, after: Place | None) -> list[bytes]:
        if after is not None and self._covers(after):
            return [told.chunk for told in self._kept if told.comes_after(after)]
        standing = list(self.fresh())
        last = len(standing) - 1  # it alone has an id: whoever has only some of them gets all of them again
        return [_encoded(event, body, self.place if at == last else None) for at, (event, body) in enumerate(standing)]

    def _covers(self, after: Place) -> bool:
        """Whether all that came after a place is kept; one ahead of ours is of another log, or of a faster teller."""
        since, until = self._kept_from, self.place
        return since.states <= after.states <= until.states and since.shortages <= after.shortages <= until.shortages

    def close(self) -> None:
        """Let every listener's stream end, and those of whoever comes now."""
        self._closed = True
        for queue in tuple(self._listeners):
            self._cut_off(queue)

    def _cut_off(self, queue: asyncio.Queue[bytes | None]) -> None:
        self._listeners.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)


def _encoded(event: str, body: str, place: Place | None) -> bytes:
    return ServerSentEvent(body, event=event, id=None if place is None else str(place), sep="\n").encode()
