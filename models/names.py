"""Identifiers: which texts may name a site, a node, a project, and how they are told apart by type."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, StringConstraints

from models.described import sentences_of
from models.errors import RecordRefused

LONGEST_NAME = 128

FLEET = "fleet"
"""The key of the fleet's own state: no site may have this name."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
"""Any printable text; screens escape it, nothing parses it."""

_T = TypeVar("_T")

Several = Annotated[tuple[_T, ...], Field(fail_fast=True)]
"""Any number of them; the first that is wrong is the last that is looked at, or a record of wrong ones alone would take
seconds and a gigabyte to refuse."""

_USABLE = re.compile(rf"[^\x00-\x1f\x7f-\x9f]{{1,{LONGEST_NAME}}}")


class Event(BaseModel):
    """A record as pydantic sees it at the edge: it never changes, and a field we do not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler, /) -> dict[str, Any]:
        """The schema with each field's own sentence as its description."""
        schema = handler(core_schema)
        fields = handler.resolve_ref_schema(schema).get("properties", {})
        for name, sentence in sentences_of(cls).items():
            if name in fields:
                fields[name].setdefault("description", sentence)
        return schema


class Published(Event):
    """What fleettwin says of itself: a reader passes over fields that a newer version has added."""

    model_config = ConfigDict(extra="ignore")


def check_site(site: str, key: bytes | None) -> None:
    """See that a site may have this name, and that the record's key is the same.

    Raises:
        RecordRefused: it may not, or is not.
    """
    if not usable(site):
        raise RecordRefused("bad_name", f"site {site[:LONGEST_NAME]!r}")
    if site == FLEET:
        raise RecordRefused("reserved", f"site {site!r} would share its key with the fleet's own state")
    if key != site.encode():
        raise RecordRefused("wrong_key", f"the key is {key!r}, the site {site!r}")


def usable(name: str) -> bool:
    """Whether the text is a `Name`."""
    return _USABLE.fullmatch(name) is not None
