"""Whole numbers that every reader can hold: what is larger is no count of anything, and would stop whoever adds it up.

Their schemas are those of plain numbers: what may be published has not changed by this.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from models.instants import LAST

_PLAIN = WithJsonSchema({"type": "integer"})

Whole = Annotated[int, Field(ge=-(2**60), le=2**60), _PLAIN]
"""So that eight of them together still fit into the 64 bits of a database."""
Place = Annotated[int, Field(ge=0, lt=2**31), _PLAIN]
"""A partition, or how many there are."""
Offset = Annotated[int, Field(ge=0, lt=2**63), _PLAIN]
"""In a partition."""
Tick = Annotated[int, Field(ge=-86_400_000, le=LAST), _PLAIN]
"""Milliseconds since 1970; a clock of that time closes what lies a grace before it."""
Newest = Annotated[int, Field(ge=-1, le=LAST), _PLAIN]
"""The same, or -1 where there is none."""
