"""Words of published records of which there may be more one day."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from pydantic import GetJsonSchemaHandler

from models.described import sentences_of


class GrowingWords(StrEnum):
    """An enumeration that a newer version may add to: a word that this one does not know is kept as it was said."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_ = word._value_ = value
        return word

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler, /) -> dict[str, Any]:
        """Any text, with the words known today beside it, and what each means."""
        schema = handler(core_schema)
        definition = handler.resolve_ref_schema(schema)
        definition["x-extensible-enum"] = definition.pop("enum")
        meanings = sentences_of(cls)
        definition["x-enum-descriptions"] = {one.value: meanings[one.name] for one in cls if one.name in meanings}
        return schema
