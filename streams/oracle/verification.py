"""Holding what was found against what the oracle says: counts, and the first difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the oracle says."""

    where: str
    identity: str
    problem: str
    expected: str | None = None
    found: str | None = None


@dataclass
class Tally:
    """One output held against the oracle's."""

    expected: int = 0
    found: int = 0
    pending: int = 0
    """Not there, and not due: the worker has not taken in yet what it follows from."""
    repeated: int = 0
    """Found again, word for word: the trace of a crash."""
    missing: int = 0
    unexpected: int = 0
    different: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """What should be there; `due` if the worker has said that it is done with what this follows from."""

    value: bytes
    due: bool


Same = Callable[[bytes, bytes], bool]


@dataclass
class Verification:
    """What was compared, and what differs."""

    readings: Mapping[str, int] = field(default_factory=dict)
    telemetry_ends: dict[int, int] = field(default_factory=dict)
    """By partition, the offset after the last record that was folded."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    first: Difference | None = None
    state_hash: str = ""

    @property
    def differences(self) -> int:
        """How many there are, over everything compared."""
        return sum(tally.missing + tally.unexpected + tally.different for tally in self.tallies.values())

    @property
    def pending(self) -> int:
        """How much is still to come."""
        return sum(tally.pending for tally in self.tallies.values())

    def compare(
        self, where: str, expected: Mapping[str, Expected], found: Iterable[tuple[str, bytes]], same: Same
    ) -> None:
        """Hold what was found, by identity, against what is expected."""
        tally = self.tallies[where] = Tally(expected=len(expected))
        seen: set[str] = set()
        for identity, value in found:
            tally.found += 1
            wanted = expected.get(identity)
            if wanted is None:
                tally.unexpected += 1
                self._differ(Difference(where, identity, "is there and should not be", None, shown(value)))
            elif not same(wanted.value, value):
                tally.different += 1
                self._differ(Difference(where, identity, "differs", shown(wanted.value), shown(value)))
            tally.repeated += identity in seen
            seen.add(identity)
        for identity, wanted in expected.items():
            if identity not in seen:
                tally.pending += not wanted.due
                tally.missing += wanted.due
                if wanted.due:
                    self._differ(Difference(where, identity, "is missing", shown(wanted.value)))

    def compare_rows(
        self,
        where: str,
        expected: Iterable[tuple[Any, ...]],
        pending: Iterable[tuple[Any, ...]],
        found: Iterable[tuple[Any, ...]],
    ) -> None:
        """Hold a table's rows, each there once at most, against those that must be there and those that may be."""
        must, may = set(expected), set(pending)
        tally = self.tallies[where] = Tally(expected=len(must | may))
        seen: set[tuple[Any, ...]] = set()
        for row in found:
            tally.found += 1
            if row not in must and row not in may:
                tally.unexpected += 1
                self._differ(Difference(where, str(row[:3]), "is there and should not be, or not so", None, str(row)))
            seen.add(row)
        for row in sorted(must - seen, key=str):
            tally.missing += 1
            self._differ(Difference(where, str(row[:3]), "is missing, or not so", str(row)))
        tally.pending = len(may - must - seen)

    def add(self, where: str, tally: Tally, difference: Difference | None) -> None:
        """Take in what was compared elsewhere."""
        self.tallies[where] = tally
        if difference is not None:
            self._differ(difference)

    def _differ(self, difference: Difference) -> None:
        self.first = self.first or difference

    def report(self) -> dict[str, Any]:
        """All of it, for machines."""
        return {
            "readings": dict(self.readings),
            "compared": {where: vars(tally) for where, tally in self.tallies.items()},
            "pending": self.pending,
            "differences": self.differences,
            "first_difference": None if self.first is None else _fields(self.first),
            "state_hash": self.state_hash,
        }


def _fields(difference: Difference) -> dict[str, str | None]:
    return {name: getattr(difference, name) for name in Difference.__slots__}


def shown(value: bytes) -> str:
    """A value as a report quotes it: the beginning of what is text, the size of what is not."""
    return value[:2000].decode(errors="replace") if value[:1] == b"{" else f"{len(value)} bytes"
