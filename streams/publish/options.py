"""What the user has said of a source: whom to ask, in whose name, for how long; complete before a source sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from infra.secret_files import secret_of
from models.catalogue import Catalogue
from models.errors import ConfigurationError
from models.reading import NodeState
from streams.publish.measures import Identity

PASSWORD = "FLEETTWIN_PUBLISH__PASSWORD"  # noqa: S105  # the name of a setting

_Extra = TypeVar("_Extra", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to ask: a node, or a meter beside the nodes."""

    identity: Identity
    """Complete: what the user has left out is refused, or filled in aloud, before a source sees it.
    Of a meter, `node` is its name.
    """
    url: str | None = None
    """An address, or a file's path; none for the machine that the publisher runs on."""
    type: str | None = None
    """An id of the catalogue, for which the user answers; none where the source should find it out."""
    installed: int | None = None
    """Accelerators, for sources that cannot count them."""
    state: NodeState = NodeState.IN_SERVICE
    """What the user says of the node; sources need not look at it."""
    meter: bool = False
    """Whether it is a meter and no node."""


@dataclass(frozen=True)
class SourceOptions:
    """All that a source needs to know."""

    targets: tuple[Target, ...]
    """At least one; sources of the own machine have exactly one, without `url`."""
    catalogue: Catalogue
    timeout_seconds: float = 5.0
    """For one request. The publisher gives up on the whole of `sample` a second after that."""
    field_map: Path | None = None
    """YAML that says which metric is which measure; none for what the source ships with."""
    verify_tls: bool = True
    ca_file: Path | None = None
    """PEM with the authorities to trust; none for those of the system."""
    user: str | None = None
    password_file: Path | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the configuration's `options` say; `extra_of` reads it."""
    where: str = "options"
    """The configuration's place of `extra`, for messages: `publish.yaml: options`."""


def password_of(options: SourceOptions) -> str | None:
    """The password, read anew each time, so that a changed file counts.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    return secret_of(PASSWORD, None, options.password_file)


def extra_of(options: SourceOptions, model: type[_Extra]) -> _Extra:
    """What `options.extra` says, as the source's own model; the model should be frozen and forbid what it lacks.

    Raises:
        ConfigurationError: names place, value and what was expected.
    """
    try:
        return model.model_validate(dict(options.extra))
    except ValidationError as invalid:
        first = invalid.errors()[0]
        path = ".".join(map(str, (options.where, *first["loc"])))
        raise ConfigurationError(path, first["input"], first["msg"]) from None
