"""What a golden result and a fold have in common, as one object and in words a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from models.wording import printable
from streams.oracle.differing import Difference, Problem, differences
from streams.oracle.golden import PARTS, GoldenResult, other_origins

_MOST_COUNTED = 1_000
_MOST_ORIGINS = 5
"""Lines of what a golden result was made from and this one was not; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a fold stands to what was expected."""

    file: Path
    compared: tuple[str, ...]
    origins: tuple[tuple[str, str], ...]
    """What the golden result was made from and this one was not: paths, and words."""
    differences: int
    first: Difference | None
    events: int
    """Shortage events that were expected."""

    @property
    def equal(self) -> bool:
        """Whether all that was compared is the same."""
        return self.first is None


def judge(file: Path, golden: GoldenResult, result: Mapping[str, Any], origin: Mapping[str, Any]) -> Verdict:
    """Hold a fold against a golden result.

    Args:
        file: Where the golden result is from.
        golden: What is expected.
        result: `OfflineRun.summary()`.
        origin: What that was made from.
    """
    expected = golden.parts()
    found = list(islice(differences(expected, result), _MOST_COUNTED))
    first = found[0] if found else None
    origins = tuple(other_origins(golden.made_from, origin))
    return Verdict(file, tuple(expected), origins, len(found), first, len(golden.shortages or ()))


def as_object(verdict: Verdict) -> dict[str, Any]:
    """For programs."""
    first = verdict.first
    return {
        "equal": verdict.equal,
        "expected": str(verdict.file),
        "compared": verdict.compared,
        "not_compared": [name for name in PARTS if name not in verdict.compared],
        "made_from": [{"path": path, "what": what} for path, what in verdict.origins],
        "differences": verdict.differences,
        "first_difference": None
        if first is None
        else {
            "path": first.path,
            "problem": first.problem,
            "expected": first.expected,
            "found": first.found,
            "at": first.order or None,
            "event": None if first.event is None else _event(first.event),
        },
    }


def in_words(verdict: Verdict) -> list[str]:
    """Line by line: what else it was made from, whether it is equal, and the first difference."""
    lines = [f"{verdict.file} was made {what}" for _, what in verdict.origins[:_MOST_ORIGINS]]
    if len(verdict.origins) > _MOST_ORIGINS:
        lines.append(f"... and {len(verdict.origins) - _MOST_ORIGINS} more that are other")
    names = ", ".join(map(_name, verdict.compared))
    if verdict.first is None:
        return [*lines, f"equal to {verdict.file}: {names} compared"]
    many = "1 difference" if verdict.differences == 1 else f"{verdict.differences:,} differences"
    return [*lines, f"not equal to {verdict.file}: {many}; {names} compared", _told(verdict.first)]


def _told(first: Difference) -> str:
    """One difference in a sentence: which event, when, which field, expected and found."""
    if first.event is None:
        return f"first: {_place(first.path)} {_contrast(first)}"
    event = f"first: {first.path.partition('.')[0]}, {_event(first.event)}, at {printable(first.order) or 'no time'}"
    if first.path.endswith("]") and "." not in first.path:
        missing = first.problem is Problem.MISSING
        return f"{event}: " + ("expected, and is missing" if missing else "additional, not expected")
    return f"{event}: {first.path.partition('.')[2]} {_contrast(first)}"


def _contrast(first: Difference) -> str:
    match first.problem:
        case Problem.MISSING:
            return f"is missing, expected {_value(first.expected)}"
        case Problem.ADDITIONAL:
            return f"is {_value(first.found)}, not expected"
        case Problem.DIFFERS:
            return f"is {_value(first.found)}, expected {_value(first.expected)}"


def _event(event: Mapping[str, Any]) -> str:
    """`opened, project frontier, accelerators h100-sxm`, as far as it is said."""
    scope, resource = event.get("scope"), event.get("resource")
    parts = [event.get("change"), *(_named(one, key) for one, key in ((scope, "name"), (resource, "types")))]
    return printable(", ".join(str(part) for part in parts if part)) or "an event"


def _named(one: Any, key: str) -> str:
    if not isinstance(one, dict):
        return ""
    kind, name = str(one.get("kind", "")), one.get(key, "")
    text = "/".join(map(str, name)) if isinstance(name, list) else str(name)
    return kind if kind == text or not text else f"{kind} {text}"


def _value(value: Any) -> str:
    return printable(orjson.dumps(value).decode()[:300])


def _place(path: str) -> str:
    part, dot, rest = path.partition(".")
    return f"{_name(part)}{dot}{rest}"


def _name(part: str) -> str:
    return part.replace("_", " ")
