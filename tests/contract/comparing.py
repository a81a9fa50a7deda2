"""Whether a JSON Schema has changed in a way that breaks a promise: what readers rely on, or what senders may write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

WORDS = {
    "title",
    "description",
    "examples",
    "format",
    "contentMediaType",
    "discriminator",
    "x-event-type",
    "x-written-by",
    "x-enum-descriptions",
}
"""What no value is refused for, and no reader relies on; the format's type says enough."""

ROOT_WORDS = {"$id", "$schema", "$defs"}
KNOWN = {
    *WORDS,
    *ROOT_WORDS,
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "enum",
    "items",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "type",
    "x-extensible-enum",
}
LOWEST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
HIGHEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


@dataclass(frozen=True)
class Comparison:
    """An old schema and a new one, each a document of its own; `written` is by whom."""

    old: Schema
    new: Schema
    for_senders: bool
    """Whether what was accepted must still be; else whether what is written is still what was said."""

    def breaks(self) -> list[str]:
        """What is broken, each with the place; empty where nothing is."""
        return list(self._breaks(self.old, self.new, "", ()))

    def _breaks(self, old: Schema, new: Schema, at: str, seen: tuple[tuple[str, str], ...]) -> Iterator[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair) and pair in seen:
            return
        before, after = _resolved(old, self.old), _resolved(new, self.new)
        strange = (before.keys() | after.keys()) - KNOWN - {*LOWEST, *HIGHEST}
        assert not strange, f"{at}: nothing is known of {sorted(strange)}"
        seen = (*seen, pair)
        # The narrower of the two must be within the wider: what was accepted still is, or what is said still holds.
        within, around = (before, after) if self.for_senders else (after, before)
        yield from _values(within, around, at)
        yield from _bounds(within, around, at)
        if before.get("default") != after.get("default"):
            yield f"{at}: the default was {before.get('default')!r} and is {after.get('default')!r}"
        yield from self._properties(before, after, at, seen)
        if "items" in before and "items" in after:
            yield from self._breaks(before["items"], after["items"], f"{at}[]", seen)
        yield from self._choices(before, after, at, seen)

    def _properties(self, before: Schema, after: Schema, at: str, seen: Any) -> Iterator[str]:
        had, has = before.get("properties", {}), after.get("properties", {})
        needed, needs = set(before.get("required", ())), set(after.get("required", ()))
        for name in had.keys() - has.keys():
            yield f"{at}.{name}: is gone"
        for name in had.keys() & has.keys():
            yield from self._breaks(had[name], has[name], f"{at}.{name}", seen)
        for name in sorted(needs - needed) if self.for_senders else sorted(needed - needs):
            yield f"{at}.{name}: is {'now required' if self.for_senders else 'no longer always there'}"
        closed_before, closed_now = (one.get("additionalProperties") is False for one in (before, after))
        if self.for_senders and closed_now and not closed_before:
            yield f"{at}: further fields are now refused"
        if not self.for_senders and closed_before and not closed_now:
            yield f"{at}: there may now be further fields"

    def _choices(self, before: Schema, after: Schema, at: str, seen: Any) -> Iterator[str]:
        """Each way of the narrower side must be one of the wider side's."""
        had, has = _ways(before), _ways(after)
        if len(had) == len(has) == 1:
            if had[0] is not before or has[0] is not after:
                yield from self._breaks(had[0], has[0], at, seen)
            return
        if self.for_senders:
            lost = [way for way in had if all(any(self._breaks(way, other, at, seen)) for other in has)]
        else:
            lost = [way for way in has if all(any(self._breaks(other, way, at, seen)) for other in had)]
        for way in lost:
            yield f"{at}: {'no longer takes' if self.for_senders else 'may now be'} {way}"


def _resolved(schema: Schema, document: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = document["$defs"][schema["$ref"].rpartition("/")[2]]
    return {**found, **{name: value for name, value in schema.items() if name != "$ref"}}


def _ways(schema: Schema) -> list[Schema]:
    ways: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return ways


def _values(within: Schema, around: Schema, at: str) -> Iterator[str]:
    """The narrower side's values must be among the wider side's."""
    types, more = within.get("type"), around.get("type")
    numbers = types == "integer" and more == "number"
    if len(_ways(within)) == len(_ways(around)) == 1 and "anyOf" not in within and types != more and not numbers:
        yield f"{at}: the type {types!r} is not {more!r}"
    some, all_ = _words(within), _words(around)
    if all_ is not None and (some is None or not some <= all_):
        yield f"{at}: the values {_told(some)} are not among {_told(all_)}"
    if "x-extensible-enum" in around and "x-extensible-enum" not in within and some is None:
        yield f"{at}: no longer one of some words"
    if around.get("pattern") not in (None, within.get("pattern")):
        yield f"{at}: the pattern {within.get('pattern')!r} is not {around['pattern']!r}"


def _words(schema: Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _told(words: set[Any] | None) -> str:
    return "of any kind" if words is None else repr(sorted(words))


def _bounds(within: Schema, around: Schema, at: str) -> Iterator[str]:
    for name in LOWEST:
        if name in around and within.get(name, float("-inf")) < around[name]:
            yield f"{at}: {name} {within.get(name)} is below {around[name]}"
    for name in HIGHEST:
        if name in around and within.get(name, float("inf")) > around[name]:
            yield f"{at}: {name} {within.get(name)} is above {around[name]}"
