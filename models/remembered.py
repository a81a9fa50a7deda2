"""What is worth remembering as long as there is room: values by key, the oldest of them forgotten first."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Remembered(Generic[_Key, _Value]):
    """Whoever fills it decides how much room a value takes; what takes more than there is is not kept at all."""

    def __init__(self, room: int) -> None:
        self.room = room
        """What all values together may take."""
        self._taken = 0
        self._values: dict[_Key, tuple[_Value, int]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: _Key) -> _Value | None:
        """The value, if it is still known."""
        found = self._values.get(key)
        return None if found is None else found[0]

    def put(self, key: _Key, value: _Value, size: int) -> None:
        """Keep a value that is not known yet, in the place of the oldest ones where there is no room for it."""
        if size > self.room:
            return
        self._values[key] = value, size
        self._taken += size
        while self._taken > self.room:
            _, freed = self._values.pop(next(iter(self._values)))
            self._taken -= freed

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._taken = 0
