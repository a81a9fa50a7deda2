"""The accelerators of the machine that the publisher runs on, whoever made them, and what is asked of a driver."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.errors import Unavailable
from streams.publish.measures import AcceleratorMeasure, Failure
from streams.publish.places import GONE, Device, in_places

_SEARCH_AGAIN_SECONDS = 60.0
"""After which accelerators that are lost are looked for anew; opening a driver is not free."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked of one accelerator, or of all."""

    accelerators: tuple[AcceleratorMeasure, ...]
    missing: tuple[str, ...] = ()
    """Measures that did not come, by name."""
    failures: tuple[Failure, ...] = ()
    """What was wrong where a measure should have come."""


def unasked(device: Device, endpoint: str, xid: int | None = None) -> Answer:
    """What is to be said of a device that cannot be asked: that it is lost, or that asking it failed."""
    trouble = device.trouble or "it cannot be asked"
    if device.lost:
        return Answer((AcceleratorMeasure(fault=trouble, xid=xid),))
    return Answer((AcceleratorMeasure(xid=xid),), failures=(Failure(endpoint, trouble),))


class Driver(Protocol):
    """A vendor's library. Its calls block; all raise Unavailable where it, or the driver below it, has gone."""

    @property
    def what(self) -> str:
        """Its name, for messages."""

    @property
    def way_out(self) -> str:
        """Where to look when something is wrong with it."""

    def open(self) -> Sequence[Device]:
        """Connect, and find the accelerators in the node's order; on failure nothing stays open."""
        ...

    def version(self) -> str:
        """Of the driver."""
        ...

    def ask(self, place: int, device: Device) -> Answer:
        """What one accelerator says, of which one measure comes."""
        ...

    def close(self) -> None:
        """Let go, also of a driver that has gone."""


class Devices:
    """The accelerators, each in a place that it keeps over restarts of the driver, and when it is lost.

    Args:
        driver: Who is asked.
        installed: How many there should be, where the user has said so; the driver may find more.
        now: Seconds that only grow.
    """

    def __init__(self, driver: Driver, installed: int | None, now: Callable[[], float] = time.monotonic) -> None:
        self._driver, self._now = driver, now
        self.places: list[Device] = [GONE] * (installed or 0)
        self.version = ""
        self._opened_at: float | None = None

    def open(self) -> None:
        """Find the accelerators, unless that has been done.

        Raises:
            Unavailable: the driver cannot be asked, or there is no accelerator.
        """
        if self._opened_at is not None:
            return
        found = self._driver.open()
        self._opened_at = self._now()
        try:
            self.version = self._driver.version()
        except Unavailable:
            self.close()
            raise
        self.places = in_places(self.places, found)
        if not self.places:
            self.close()
            raise Unavailable(self._driver.what, "the driver shows no accelerator", self._driver.way_out)

    def ask(self) -> Answer:
        """Ask them all.

        Raises:
            Unavailable: as `open` does; the next call finds out whether the driver is back.
        """
        self.open()
        try:
            answers = [self._driver.ask(place, device) for place, device in enumerate(self.places)]
        except Unavailable:
            self.close()
            raise
        told = Answer(
            tuple(one for answer in answers for one in answer.accelerators),
            tuple(dict.fromkeys(measure for answer in answers for measure in answer.missing)),
            tuple(failure for answer in answers for failure in answer.failures),
        )
        self._search_again(told)
        return told

    def close(self) -> None:
        """Let go of the driver. What has been found stays known."""
        if self._opened_at is not None:
            self._opened_at = None
            self._driver.close()

    def _search_again(self, told: Answer) -> None:
        """Where one is lost, have the driver opened anew now and then: a reset may have brought it back."""
        lost = any(one.fault is not None for one in told.accelerators)
        if lost and self._opened_at is not None and self._now() - self._opened_at >= _SEARCH_AGAIN_SECONDS:
            self.close()
