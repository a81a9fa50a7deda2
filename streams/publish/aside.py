"""Topics that cannot be written now: what is for them waits, and what is for others goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

ASIDE_SECONDS = 30.0


@dataclass
class Aside:
    """Each for a while; then it is tried again."""

    seconds: float = ASIDE_SECONDS
    clock: Callable[[], float] = time.monotonic
    _until: dict[str, float] = field(default_factory=dict)

    def put(self, topic: str, why: str) -> None:
        """Set a topic aside; the first time it is told."""
        if topic not in self._until:
            log.warning("a topic cannot be written; what is for it waits", topic=topic, why=why)
        self._until[topic] = self.clock() + self.seconds

    def taken(self, topic: str) -> None:
        """Something of it has reached Kafka."""
        if self._until.pop(topic, None) is not None:
            log.info("a topic can be written again", topic=topic)

    @property
    def topics(self) -> tuple[str, ...]:
        """Those that are to be left alone now."""
        now = self.clock()
        return tuple(topic for topic, until in self._until.items() if until > now)
