"""Holding a compacted topic against the oracle: of each key only the last word counts, and it may be nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.oracle.verification import Difference, Tally, shown


@dataclass(frozen=True, slots=True)
class Word:
    """What a key should say at some time: nothing once it is removed."""

    value: bytes | None
    due: bool
    """Whether the worker has said that it is done with what this follows from."""


def compare_last_words(
    where: str, expected: Mapping[bytes, Sequence[Word]], found: Mapping[bytes, bytes | None]
) -> tuple[Tally, Difference | None]:
    """Hold the last word found of each key against all that it should say, oldest first; and the first difference.

    What is right is the last word that is due, or one after it: a worker may have said more than it has committed.
    A key that is not found says nothing.
    """
    tally, first = Tally(expected=sum(words[-1].value is not None for words in expected.values())), None
    tally.found = sum(value is not None for value in found.values())
    for key in dict.fromkeys((*expected, *found)):
        words, says = _standing(expected.get(key, ())), found.get(key)
        wanted = words[0]
        problem = None
        if says == words[-1]:
            pass
        elif says in words:
            tally.pending += 1
        elif wanted is None:
            tally.unexpected += 1
            problem = "is there and should not be"
        elif says is None:
            tally.missing += 1
            problem = "is missing"
        else:
            tally.different += 1
            problem = "differs"
        if problem is not None and first is None:
            first = Difference(where, key.decode(errors="replace"), problem, _text(wanted), _text(says))
    return tally, first


def _standing(words: Sequence[Word]) -> list[bytes | None]:
    """What the key may say now: the last word that is due, and those after it."""
    last_due = max((place for place, word in enumerate(words) if word.due), default=None)
    if last_due is None:
        return [None, *(word.value for word in words)]
    return [word.value for word in words[last_due:]]


def _text(value: bytes | None) -> str | None:
    return None if value is None else shown(value)
