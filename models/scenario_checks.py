"""Contradictions between the fields of a scenario: each with its path, the value there, and what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Contradiction = tuple[str, object, str]


def unknown(path: str, field: str, names: Sequence[str], known: Sequence[str]) -> Iterator[Contradiction]:
    """The names that are none of the known; `field` is what holds a name in an entry, empty where the entry is it."""
    for i, name in enumerate(names):
        if name not in known:
            yield _place(path, i, field), name, f"one of {', '.join(known)}"


def repeated(path: str, field: str, names: Sequence[str]) -> Iterator[Contradiction]:
    """The names that stand there before."""
    for i, name in enumerate(names):
        if name in names[:i]:
            yield _place(path, i, field), name, "a name that is not there before"


def disordered(path: str, times: Sequence[float], period: float | None) -> Iterator[Contradiction]:
    """The entries of a timeline before the one above them, or beyond the period after which it starts again."""
    for i, at in enumerate(times):
        if i and at < times[i - 1]:
            yield _place(path, i, "at"), at, f"not before the entry above it, {times[i - 1]}"
        if period is not None and at >= period:
            yield _place(path, i, "at"), at, f"before repeat_every_seconds, {period}"


def _place(path: str, index: int, field: str) -> str:
    return f"{path}.{index}.{field}" if field else f"{path}.{index}"
