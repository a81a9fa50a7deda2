"""What a source of measurements is: it finds nodes, and says what they measure whenever it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from streams.publish.measures import Component, Sampled


class Source(Protocol):
    """Somewhere that measurements come from. Libraries that block are asked in a thread."""

    @property
    def name(self) -> str:
        """As `--source` calls it."""

    async def discover(self) -> Sequence[Component]:
        """The nodes that can be asked.

        Raises:
            Unavailable: a library, a driver or an endpoint is missing, with the way out.
            ConfigurationError: what the user said of them cannot be.
        """

    async def sample(self) -> Sampled:
        """What they measure now. What fails is named in `Sampled.failures`; it never hangs for longer than its timeout.

        Called again and again, never twice at once, also without `discover` before it.
        """

    async def close(self) -> None:
        """Let go of connections and handles."""
