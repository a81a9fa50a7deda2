"""What a log says of itself before its first record."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, JsonValue


class LogHeader(BaseModel):
    """Who wrote the log, and of what topics. Fields that a later version adds are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    created_by: str
    partitions: Mapping[str, int] = {}
    """How many partitions each topic had; one that is not here fits any number, since its records go by key."""
    rules: Mapping[str, JsonValue] = {}
    """What else a reader may want to know, such as the rules under which a twin folded these records."""
