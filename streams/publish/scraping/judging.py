"""From what series say to what is known: values that are none are left out, and several become one only by a rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.edge import SENTINEL
from streams.publish.scraping.field_map import KINDS, Several, Use
from streams.publish.scraping.units import Kind

HOTTEST_CELSIUS = 200.0
_ROUNDING = 1e-3
"""By how much a fraction may exceed 1; exporters compute some of theirs."""


@dataclass(slots=True)
class Said:
    """What the series of one metric say of one accelerator or node."""

    whole: list[float] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)


class Doubtful(Exception):
    """The series of one metric do not say one thing."""


def judged(said: Said, use: Use, blanks: Sequence[float]) -> float | None:
    """The value in the canonical unit; none where nothing usable is said.

    Raises:
        Doubtful: several series where the map expects one, or such as should agree and do not.
    """
    metrics = use.metrics
    if said.whole:
        values, rule = said.whole, metrics.several
    elif metrics.of_parts is Several.REFUSED:
        return None
    else:
        values, rule = said.parts, metrics.of_parts
    usable = [_usable(value, use, blanks) for value in values]
    return usable[0] if len(usable) == 1 else _combined(usable, rule)


def _combined(values: Sequence[float | None], rule: Several) -> float | None:
    match rule:
        case Several.REFUSED:
            raise Doubtful(f"{len(values)} series")
        case Several.SAME:
            if len(set(values)) != 1:
                raise Doubtful(f"{len(values)} series that disagree")
            return values[0]
        case Several.SUM:
            known = [value for value in values if value is not None]
            return sum(known) if len(known) == len(values) else None


def _usable(value: float, use: Use, blanks: Iterable[float]) -> float | None:
    """In the canonical unit; none where it is NaN, infinite, negative, a blank, or outside of what can be."""
    if not math.isfinite(value) or value < 0 or value >= SENTINEL:
        return None
    if value in blanks or value in use.metrics.blanks:
        return None
    canonical = value * use.metrics.factor
    match KINDS[use.measure]:
        case Kind.FRACTION:
            return min(canonical, 1.0) if canonical <= 1 + _ROUNDING else None
        case Kind.TEMPERATURE:
            return canonical if canonical <= HOTTEST_CELSIUS else None
        case Kind.MEMORY:
            return canonical if canonical < 2**53 else None
    return canonical
