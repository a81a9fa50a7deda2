"""What fails is told when it begins, now and then while it lasts, and when it is over: not with every beat."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog

from streams.publish.measures import Failure

log = structlog.get_logger()

AGAIN_SECONDS = 600.0


@dataclass
class Complaints:
    """By endpoint."""

    clock: Callable[[], float] = time.monotonic
    _told: dict[str, float] = field(default_factory=dict)

    def tell(self, failures: Iterable[Failure]) -> None:
        """Log the failures of a beat that are news."""
        now = self.clock()
        failing: dict[str, list[str]] = {}
        for failure in failures:
            failing.setdefault(failure.endpoint, []).append(failure.why)
        for endpoint, reasons in failing.items():
            if now - self._told.get(endpoint, -AGAIN_SECONDS) >= AGAIN_SECONDS:
                more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
                log.warning("failed", endpoint=endpoint, why=reasons[0] + more)
                self._told[endpoint] = now
        for endpoint in self._told.keys() - failing.keys():
            log.info("well again", endpoint=endpoint)
            del self._told[endpoint]
