"""Numbers that grow with every reading, over restarts too, and even when the folder that remembers them is lost."""

from __future__ import annotations

from itertools import count

BOOT = 2**31
"""Numbers of one boot; one a second lasts for sixty-eight years."""


class Sequence:
    """The numbers of one boot, from its first."""

    def __init__(self, boot: int) -> None:
        self._numbers = count(boot * BOOT)

    def following(self) -> int:
        """A number above all before."""
        return next(self._numbers)


def boot_after(stored: int | None, now: float) -> int:
    """The number of a boot: above the stored one, and otherwise the time in seconds since 1970."""
    return max(0 if stored is None else stored + 1, int(now))
