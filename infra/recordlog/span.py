"""A span of time that is wanted of a log."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from infra.recordlog.block import Span
from models.record import Record


class Wanted:
    """From `since` on and before `until`, in milliseconds; none means no bound."""

    def __init__(self, since: int | None, until: int | None) -> None:
        self.everything = since is None and until is None
        self._since: float = -math.inf if since is None else since
        self._until: float = math.inf if until is None else until

    def touches(self, span: Span) -> bool:
        """Whether records of these times may be wanted."""
        return span.latest >= self._since and span.earliest < self._until

    def among(self, records: Sequence[Record], times: Sequence[int]) -> Iterator[Record]:
        """The records that were sent in it; `times` says when each was."""
        if self.everything:
            return iter(records)
        return (one for one, at in zip(records, times, strict=True) if self._since <= at < self._until)
