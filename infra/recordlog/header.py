"""What a log says of itself before its first record."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, JsonValue


class Part(BaseModel):
    """A log from which another one was made, and what was taken of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    log: str
    """The name of its file, without the folder."""
    created_by: str
    """What its header says of that."""
    since: int | None = None
    """The first `sent_at` taken, in milliseconds; none means from its beginning."""
    until: int | None = None
    """The first not taken any more; none means to its end."""
    topics: tuple[str, ...] | None = None
    """Those taken; none means all."""
    sites: tuple[str, ...] | None = None
    """Those taken; none means all."""
    with_facts: bool = False
    """Whether site facts and demand from before `since` were taken, too."""
    up_to_damage: bool = False
    """Whether it was taken even if it was damaged, up to there."""


class LogHeader(BaseModel):
    """Who wrote the log, and of what topics. Fields that a later version adds are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    created_by: str
    partitions: Mapping[str, int] = {}
    """How many partitions each topic had; one that is not here fits any number, since its records go by key."""
    rules: Mapping[str, JsonValue] = {}
    """What else a reader may want to know, such as the rules under which a twin folded these records."""
    made_from: tuple[Part, ...] = ()
    """The logs that it was cut from or merged of."""
