"""Identifiers: which texts may name a site, a node, a project, and how they are told apart by type."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

LONGEST_NAME = 128

FLEET = "fleet"
"""The key of the fleet's own state: no site may have this name."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
"""Any printable text; screens escape it, nothing parses it."""


class Event(BaseModel):
    """A record as pydantic sees it at the edge: it never changes, and a field we do not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants", allow_inf_nan=False)
