"""Shortages in words for people: the same on every screen and in every alert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from models.shortage import (
    Accelerators,
    Binding,
    Constraint,
    OneMore,
    Power,
    Quantity,
    Scope,
    Shortage,
    Unit,
    Unplaced,
    Visibility,
)

_Word = TypeVar("_Word", Constraint, Unit)

_CONSTRAINTS = {
    Constraint.QUOTA: "quota",
    Constraint.WHOLE_NODES: "whole nodes",
    Constraint.POWER: "power",
    Constraint.ACCELERATORS: "accelerators",
    Constraint.UNKNOWN_CAPACITY: "unknown capacity",
    Constraint.VISIBILITY: "visibility",
    Constraint.SCHEDULER: "scheduler",
}
_UNITS = {Unit.ACCELERATOR: "accelerator", Unit.WHOLE_NODE: "whole node", Unit.MEGAWATT: "MW"}
_SHORT_UNITS = _UNITS | {Unit.WHOLE_NODE: "node"}

_MOST_SITES = 3
"""More are counted."""


def printable(text: str) -> str:
    """The text on one line: line ends, escape sequences and marks that hide or turn writing round are spelt out."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def who(scope: Scope) -> str:
    """Who is short: `fleet`, `site memphis`, `project atlas`."""
    return scope.kind.value if scope.kind.value == scope.name else f"{scope.kind.value} {printable(scope.name)}"


def missing(shortage: Shortage) -> str:
    """How much is short, in the one measure that counts for its kind."""
    match shortage.resource:
        case Accelerators():
            return f"{shortage.missing.accelerators:,} accelerators"
        case Power():
            return f"{shortage.missing.watts / 1e6:,.2f} MW"
        case Visibility():
            return f"{shortage.missing.accelerators:,} unknown"
        case Unplaced():
            return f"{shortage.missing.accelerators:,} could run and are not granted"


def amount(quantity: Quantity) -> str:
    """The measures that are not zero."""
    parts = []
    if quantity.accelerators:
        parts.append(f"{quantity.accelerators:,} accelerators")
    if quantity.h100e:
        parts.append(f"{quantity.h100e:,.0f} H100e")
    if quantity.watts:
        parts.append(f"{quantity.watts / 1e6:,.2f} MW")
    return ", ".join(parts) or "nothing"


def binds(binding: Binding) -> str:
    """The constraint and what must give way with it: `whole nodes with power`."""
    others = " and ".join(_word(one, _CONSTRAINTS) for one in binding.together_with)
    return _word(binding.constraint, _CONSTRAINTS) + (f" with {others}" if others else "")


def one_more(more: OneMore) -> str:
    """What one more unit brings: `+1 MW serves 97`."""
    return f"+1 {_word(more.unit, _UNITS)} serves {more.serves:,}"


def where(binding: Binding) -> str:
    """At which sites it binds: ` at memphis`; empty where it binds anywhere."""
    if not binding.sites:
        return ""
    if len(binding.sites) > _MOST_SITES:
        return f" at {len(binding.sites)} sites"
    return f" at {' or '.join(map(printable, binding.sites))}"


def briefly(shortage: Shortage) -> str:
    """How much, what binds, and what one more unit brings, for a narrow place: `408 short: power, +1 MW: 97`."""
    if isinstance(shortage.resource, Unplaced):
        return missing(shortage)
    measure = f"{shortage.missing.accelerators:,}" if isinstance(shortage.resource, Accelerators) else missing(shortage)
    short = measure if isinstance(shortage.resource, Visibility) else f"{measure} short"
    more = shortage.binding.one_more
    brings = "" if more is None else f", +1 {_word(more.unit, _SHORT_UNITS)}: {more.serves:,}"
    return f"{short}: {binds(shortage.binding)}{brings}"


def also(shortage: Shortage) -> str:
    """What else binds, each once: `power, quota`; empty where nothing does."""
    return ", ".join(dict.fromkeys(map(binds, shortage.also)))


def why(shortage: Shortage) -> str:
    """What binds and where, what one more unit brings, and what else binds, the most telling first."""
    binding = shortage.binding
    parts = [binds(binding) + where(binding)]
    if binding.one_more is not None:
        parts.append(one_more(binding.one_more))
    if shortage.also:
        parts.append(f"also {also(shortage)}")
    return "; ".join(parts)


def _word(said: _Word, words: Mapping[_Word, str]) -> str:
    """Ours for it; a word that a newer version says is shown as it is said."""
    return words.get(said) or printable(said.value.replace("_", " "))
