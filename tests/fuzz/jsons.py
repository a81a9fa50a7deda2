"""Changes to JSON texts that leave most of them as they were, so that what is read late is reached too."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from random import Random
from typing import Any

from tests.fuzz.hostile import FLOATS, NAMES, NUMBERS, TIMES, TOKENS

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_MOST_CHARACTERS = 5 * 1024 * 1024
_DEEP = (b"[" * 100_000, b'{"a":' * 50_000, b"[" * 300 + b"]" * 300)


def changed_json(value: bytes, random: Random) -> bytes | None:
    """The text with something of it changed; nothing where it is no JSON."""
    try:
        whole = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if random.random() < 0.15:
        return _raw(value, random)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        whole = _changed(whole, random)
    if _is_too_long(whole):
        return value
    try:
        return json.dumps(whole, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return value


def _is_too_long(whole: Any) -> bool:
    """Whether it would be written out as more than any record holds: what is repeated may be repeated itself."""
    waiting, size = [whole], 0
    while waiting and size <= _MOST_CHARACTERS:
        one = waiting.pop()
        size += len(one) if isinstance(one, str) else 2
        if isinstance(one, dict):
            waiting += one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return size > _MOST_CHARACTERS


def _raw(value: bytes, random: Random) -> bytes:
    """What no writer of JSON writes."""
    found = list(_NUMBER.finditer(value))
    match random.randrange(4):
        case 0 if found:
            at = random.choice(found)
            return value[: at.start()] + random.choice(TOKENS) + value[at.end() :]
        case 1:
            return random.choice(_DEEP)
        case 2:
            return value[: random.randrange(len(value) + 1)]
        case _:
            return value.replace(b'"', b'"\\u0000', 1) if random.random() < 0.5 else b"\xef\xbb\xbf" + value


def _changed(whole: Any, random: Random) -> Any:
    holders = list(_holders(whole))
    if not holders:
        return _value(random)
    holder = random.choice(holders)
    if isinstance(holder, list):
        return _in_list(whole, holder, random)
    name = random.choice(list(holder))
    match random.randrange(8):
        case 0:
            del holder[name]
        case 1:
            holder[random.choice(NAMES)] = _value(random)
        case 2:
            holder[name] = [holder[name]] * random.choice((0, 1, 2, 9, 1025))
        case 3:
            holder[name] = {str(name): holder[name]}
        case 4 if isinstance(holder[name], int | float):
            with suppress(OverflowError):  # of a number that no float holds
                holder[name] += random.choice((-1, 1, 0.5, 1e6))
        case _:
            holder[name] = _value(random)
    return whole


def _in_list(whole: Any, holder: list[Any], random: Random) -> Any:
    place = random.randrange(len(holder))
    match random.randrange(4):
        case 0:
            del holder[place]
        case 1:
            holder.append(holder[place])
        case 2:
            holder *= random.choice((2, 50))
        case _:
            holder[place] = _value(random)
    return whole


def _holders(whole: Any) -> Any:
    """Every object and list that holds something, a few thousand at most."""
    waiting, given = [whole], 0
    while waiting and given < 5000:
        one = waiting.pop()
        if isinstance(one, dict | list) and one:
            given += 1
            yield one
            waiting += one.values() if isinstance(one, dict) else one


def _value(random: Random) -> Any:
    kinds: tuple[tuple[Any, ...], ...] = (NAMES, NUMBERS, FLOATS, TIMES, (None, True, False, [], {}))
    return random.choice(random.choice(kinds))
