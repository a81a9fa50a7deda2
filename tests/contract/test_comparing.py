"""The comparison of schemas finds what breaks senders or readers, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.comparing import Comparison, Schema

Change = Callable[[Schema], Any]

BEFORE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "kind"],
    "properties": {
        "name": {"type": "string", "maxLength": 8, "pattern": "^a"},
        "kind": {"$ref": "#/$defs/Kind"},
        "count": {"type": "integer", "minimum": 0, "default": 0},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "watts": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "word": {"type": "string", "x-extensible-enum": ["one"]},
    },
    "$defs": {
        "Kind": {"type": "string", "enum": ["a", "b"]},
        "Part": {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]},
    },
}


def breaks(change: Change, *, for_senders: bool) -> list[str]:
    after = copy.deepcopy(BEFORE)
    change(after)
    return Comparison(BEFORE, after, for_senders=for_senders).breaks()


def of(schema: Schema, name: str) -> Schema:
    found: Schema = schema["properties"][name]
    return found


NEUTRAL = [
    pytest.param(lambda now: None, id="nothing"),
    pytest.param(lambda now: now["properties"].update(new={"type": "string"}), id="an-optional-field-more"),
    pytest.param(lambda now: of(now, "name").update(description="Other words."), id="other-words"),
    pytest.param(lambda now: of(now, "word")["x-extensible-enum"].append("two"), id="a-word-more-where-they-grow"),
]

BOTH = [
    pytest.param(lambda now: now["properties"].pop("count"), id="a-field-gone"),
    pytest.param(lambda now: of(now, "name").update(type="integer"), id="another-type"),
    pytest.param(lambda now: of(now, "count").update(default=1), id="another-default"),
    pytest.param(lambda now: now["$defs"]["Part"]["properties"].pop("size"), id="a-field-of-a-part-gone"),
    pytest.param(lambda now: of(now, "name").update(pattern="^b"), id="another-pattern"),
]

SENDERS = [
    pytest.param(lambda now: now["required"].append("count"), id="a-field-now-required"),
    pytest.param(lambda now: now["$defs"]["Kind"]["enum"].pop(), id="a-value-no-longer-taken"),
    pytest.param(lambda now: of(now, "name").update(maxLength=4), id="shorter"),
    pytest.param(lambda now: of(now, "count").update(minimum=1), id="a-higher-minimum"),
    pytest.param(lambda now: of(now, "count").update(maximum=9), id="a-maximum"),
    pytest.param(lambda now: of(now, "watts")["anyOf"].pop(), id="null-no-longer-taken"),
    pytest.param(lambda now: now["$defs"]["Part"].update(additionalProperties=False), id="further-fields-refused"),
]

READERS = [
    pytest.param(lambda now: now["required"].remove("kind"), id="a-field-no-longer-always-there"),
    pytest.param(lambda now: now["$defs"]["Kind"]["enum"].append("c"), id="a-value-more"),
    pytest.param(lambda now: of(now, "name").pop("maxLength"), id="longer"),
    pytest.param(lambda now: of(now, "count").update(minimum=-1), id="a-lower-minimum"),
    pytest.param(lambda now: of(now, "count").update(type="number"), id="fractions-where-whole-numbers-were"),
    pytest.param(lambda now: of(now, "watts")["anyOf"].append({"type": "string"}), id="text-where-numbers-were"),
    pytest.param(lambda now: now.pop("additionalProperties"), id="further-fields-where-there-were-none"),
]


@pytest.mark.parametrize("change", [*NEUTRAL, *READERS])
def test_what_accepts_at_least_as_much_breaks_no_sender(change: Change) -> None:
    assert breaks(change, for_senders=True) == []


@pytest.mark.parametrize("change", [*BOTH, *SENDERS])
def test_what_accepts_less_breaks_senders(change: Change) -> None:
    assert len(breaks(change, for_senders=True)) == 1


@pytest.mark.parametrize("change", [*NEUTRAL, *SENDERS])
def test_what_says_no_less_breaks_no_reader(change: Change) -> None:
    assert breaks(change, for_senders=False) == []


@pytest.mark.parametrize("change", [*BOTH, *READERS])
def test_what_says_less_breaks_readers(change: Change) -> None:
    assert len(breaks(change, for_senders=False)) == 1


def test_a_keyword_that_the_comparison_does_not_know_is_no_promise_kept() -> None:
    with pytest.raises(AssertionError, match="patternProperties"):
        breaks(lambda now: of(now, "name").update(patternProperties={}), for_senders=True)
