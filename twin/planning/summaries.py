"""What binds, in a sentence for people."""

from __future__ import annotations

from collections.abc import Sequence

from models.shortage import Constraint, OneMore, Unit

MOST_NAMED = 3
"""Sites or types; more are counted."""


def binding_summary(
    constraint: Constraint,
    sites: Sequence[str],
    types: Sequence[str],
    behind: int,
    together_with: Sequence[Constraint] = (),
    one_more: OneMore | None = None,
) -> str:
    """Why so many accelerators wait, and what one more unit of what is short would serve."""
    what, where = _listed(types, "accelerators", "types"), _at(sites)
    match constraint:
        case Constraint.QUOTA:
            said = f"{behind} wait for a quota that is used up"
        case Constraint.WHOLE_NODES:
            said = f"{behind} wait for more free {what} together on one node{where}"
        case Constraint.POWER:
            said = f"{behind} wait for power to run free {what}{where}"
        case Constraint.ACCELERATORS:
            said = f"{behind} wait for {what}{where}"
        case Constraint.UNKNOWN_CAPACITY:
            said = f"{behind} wait while {what}{where} are unknown"
        case _:
            said = f"{behind} could be had on {what}{where} and are not granted"
    if together_with:
        return f"{said}, and for {' and '.join(_WORDS[other] for other in together_with)} too"
    return f"{said}; {_one_more(one_more, sites)}" if one_more else said


def _one_more(one_more: OneMore, sites: Sequence[str]) -> str:
    match one_more.unit:
        case Unit.ACCELERATOR:
            unit = "1 more"
        case Unit.WHOLE_NODE:
            unit = "1 more free whole node"
        case Unit.MEGAWATT:
            unit = f"1 MW more{_at(sites)}" if len(sites) == 1 else "1 MW more"
    return f"{unit} serves {one_more.serves}"


def _at(sites: Sequence[str]) -> str:
    return f" at {_listed(sites, '', 'sites')}" if sites else ""


def _listed(names: Sequence[str], none: str, many: str) -> str:
    if not names:
        return none
    return " or ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} {many}"


_WORDS = {
    Constraint.QUOTA: "quota",
    Constraint.WHOLE_NODES: "whole nodes",
    Constraint.POWER: "power",
    Constraint.ACCELERATORS: "accelerators",
    Constraint.UNKNOWN_CAPACITY: "what is unknown",
}
