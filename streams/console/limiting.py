"""How much one caller may ask: how large a question may be, and how many may come in a second."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import Scope

from streams.console.refusing import NoAnswer

RATE_SETTING = "FLEETTWIN_CONSOLE__REQUESTS_PER_SECOND"
MOST_URL_BYTES = 4096
MOST_HEADER_BYTES = 16 * 1024
BURST_SECONDS = 5
"""So many seconds' worth may come at once: the page loads its fifty files in one go."""
MOST_CALLERS = 10_000
"""Remembered at a time; whoever has not asked for longest is forgotten first."""


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


@dataclass
class Pace:
    """A bucket of questions for each caller, filled at an even rate; none is refused where the rate is 0."""

    per_second: float
    now: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def wait_for(self, caller: str) -> float:
        """Seconds until the caller may ask; 0 means now, and counts as a question."""
        if self.per_second == 0:
            return 0.0
        now, most = self.now(), max(1.0, self.per_second * BURST_SECONDS)
        bucket = self._buckets.setdefault(caller, _Bucket(most, now))
        self._buckets.move_to_end(caller)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        bucket.tokens = min(most, bucket.tokens + (now - bucket.filled_at) * self.per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self.per_second
        bucket.tokens -= 1
        return 0.0


def refuse_large(scope: Scope) -> None:
    """See that the question is no larger than any that this console answers.

    Raises:
        NoAnswer: 413, 414 or 431.
    """
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MOST_URL_BYTES:
        raise NoAnswer(414, "too_long", f"No address here is longer than {MOST_URL_BYTES} bytes")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
        raise NoAnswer(431, "too_large", f"No question here has headers of more than {MOST_HEADER_BYTES} bytes")
    headers = Headers(scope=scope)
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise NoAnswer(413, "too_large", "No question here has a body", headers={"Connection": "close"})


def refuse_frequent(scope: Scope, pace: Pace) -> None:
    """See that the caller has not asked too often; whether the worker lives may be asked at any time.

    Raises:
        NoAnswer: 429.
    """
    if scope["path"] == "/healthz":
        return
    caller = (scope.get("client") or ("",))[0]
    seconds = pace.wait_for(caller)
    if seconds > 0:
        detail = (
            f"More than {pace.per_second:g} questions a second from {caller}; {RATE_SETTING} sets how many may come"
        )
        raise NoAnswer(429, "too_many", detail, headers={"Retry-After": str(int(seconds) + 1)})
