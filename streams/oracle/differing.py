"""The first difference between an expected result and the one found, with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from streams.oracle.aligning import aligned


class Problem(StrEnum):
    """What is wrong at a place."""

    DIFFERS = "differs"
    MISSING = "missing"
    ADDITIONAL = "additional"


@dataclass(frozen=True, slots=True)
class Difference:
    """What should be at a path and is not."""

    path: str
    """As in `shortages[2].missing.watts`; of an event that is missing its place in the file, of one too many here."""
    problem: Problem
    expected: Any
    found: Any
    event: Mapping[str, Any] | None = None
    """The shortage event that it is about: as it was expected, or as it was found where none was."""
    order: str = ""
    """When the event should have been, or was, by whichever comes first."""


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Difference]:
    """The differences of each part that is expected, in the order of the parts; of shortages the earliest first."""
    for name, part in expected.items():
        if name == "shortages":
            yield from sorted(_of_events(part, found[name]), key=lambda one: one.order)
        else:
            yield from _of_values(part, found[name], name)


def _of_events(expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    for then, now in aligned(expected, found):
        if now is None and then is not None:
            event = expected[then]
            yield Difference(f"shortages[{then}]", Problem.MISSING, event, None, event, _at(event))
        elif then is None and now is not None:
            event = found[now]
            yield Difference(f"shortages[{now}]", Problem.ADDITIONAL, None, event, event, _at(event))
        elif then is not None and now is not None:
            event, other = expected[then], found[now]
            order = min(_at(event), _at(other))
            for one in _of_fields(event, other, f"shortages[{then}]"):
                yield Difference(one.path, one.problem, one.expected, one.found, event, order)


def _of_fields(expected: Mapping[str, Any], found: Mapping[str, Any], path: str) -> Iterator[Difference]:
    """Of two objects of a model: a field that is not expected may be there, since models grow. Ids tell least."""
    for name in sorted(expected, key=lambda name: name == "id"):
        if name not in found:
            yield Difference(f"{path}.{name}", Problem.MISSING, expected[name], None)
        else:
            yield from _of_values(expected[name], found[name], f"{path}.{name}", growing=True)


def _of_values(expected: Any, found: Any, path: str, *, growing: bool = False) -> Iterator[Difference]:
    if isinstance(expected, dict) and isinstance(found, dict):
        if growing:
            yield from _of_fields(expected, found, path)
            return
        for name in (*expected, *(name for name in found if name not in expected)):
            if name not in found:
                yield Difference(f"{path}.{name}", Problem.MISSING, expected[name], None)
            elif name not in expected:
                yield Difference(f"{path}.{name}", Problem.ADDITIONAL, None, found[name])
            else:
                yield from _of_values(expected[name], found[name], f"{path}.{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield Difference(path, Problem.DIFFERS, expected, found)
            return
        for place, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _of_values(one, other, f"{path}[{place}]", growing=growing)
    elif expected != found or isinstance(expected, bool) != isinstance(found, bool):
        yield Difference(path, Problem.DIFFERS, expected, found)


def _at(event: Mapping[str, Any]) -> str:
    """Its event time; texts of one form and zone are in order as they stand."""
    return str(event.get("at", ""))
