"""The compacted topic against the oracle: of each key the last word counts."""

from __future__ import annotations

import pytest

from streams.oracle.last_words import Word, compare_last_words

OPENED, UPDATED, GONE = Word(b"{0}", due=True), Word(b"{1}", due=True), Word(None, due=True)
LATER, GONE_LATER = Word(b"{2}", due=False), Word(None, due=False)


@pytest.mark.parametrize(
    ("words", "says", "counted", "problem"),
    [
        pytest.param([OPENED, UPDATED], b"{1}", {"expected": 1, "found": 1}, None, id="the-last-word"),
        pytest.param([OPENED, GONE], None, {}, None, id="removed"),
        pytest.param(
            [OPENED, UPDATED], b"{0}", {"expected": 1, "found": 1, "different": 1}, "differs", id="an-older-word"
        ),
        pytest.param([OPENED], None, {"expected": 1, "missing": 1}, "is missing", id="not-there"),
        pytest.param(
            [OPENED, GONE], b"{0}", {"found": 1, "unexpected": 1}, "is there and should not be", id="not-removed"
        ),
        pytest.param([], b"{0}", {"found": 1, "unexpected": 1}, "is there and should not be", id="a-stranger"),
        pytest.param([OPENED, LATER], b"{0}", {"expected": 1, "found": 1, "pending": 1}, None, id="more-to-come"),
        pytest.param([OPENED, LATER], b"{2}", {"expected": 1, "found": 1}, None, id="said-before-it-is-committed"),
        pytest.param([OPENED, GONE_LATER], None, {}, None, id="removed-before-it-is-committed"),
        pytest.param(
            [UPDATED, LATER, GONE_LATER], b"{2}", {"found": 1, "pending": 1}, None, id="repeated-after-a-crash"
        ),
        pytest.param([LATER], None, {"expected": 1, "pending": 1}, None, id="nothing-is-due"),
    ],
)
def test_each_key_is_counted_as_what_its_last_word_is(
    words: list[Word], says: bytes | None, counted: dict[str, int], problem: str | None
) -> None:
    tally, first = compare_last_words("open", {b"a": words} if words else {}, {} if says is None else {b"a": says})

    assert {name: count for name, count in vars(tally).items() if count} == counted
    assert (first and first.problem) == problem


def test_the_first_difference_is_named_by_its_key() -> None:
    _, first = compare_last_words("open", {b"a": [OPENED], b"b": [UPDATED]}, {b"a": b"{0}", b"b": b"{9}"})

    assert first is not None
    assert (first.identity, first.expected, first.found) == ("b", "{1}", "{9}")
