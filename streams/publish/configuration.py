"""What the user wants published: as a file says it, or options and settings, which have the same names and win."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.settings import Port
from models.errors import ConfigurationError
from models.reading import MOST_ACCELERATORS, NodeState
from models.strict_yaml import read_yaml

OPTION = "--config"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TargetEntry(_Part):
    """One thing to ask; what it does not say the whole does."""

    url: str | None = None
    node: str | None = None
    meter: str | None = None
    """Instead of `node`: the name of a meter beside the nodes."""
    site: str | None = None
    rack: str | None = None
    type: str | None = None
    installed: Annotated[int, Field(ge=1, le=MOST_ACCELERATORS)] | None = None
    state: NodeState = NodeState.IN_SERVICE


class Wanted(_Part):
    """All of it."""

    source: str | None = None
    site: str | None = None
    node: str | None = None
    rack: str | None = None
    type: str | None = None
    interval_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 5.0
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 5.0
    field_map: Path | None = None
    verify_tls: bool = True
    ca_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    state_dir: Path | None = None
    spool_mebibytes: Annotated[float, Field(ge=1)] = 64.0
    metrics_host: str = "127.0.0.1"
    metrics_port: Port | None = None
    targets: tuple[TargetEntry, ...] = ()
    """None: the machine that the publisher runs on."""
    options: dict[str, Any] = Field(default_factory=dict)
    """The source's own."""


def read_wanted(path: Path) -> Wanted:
    """What a file says.

    Raises:
        ConfigurationError: it cannot be read, or says what cannot be; names file, path and value.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(OPTION, str(path), "the path of a readable YAML file") from None
    said = read_yaml(text, str(path))
    try:
        return Wanted.model_validate(said)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        where = ".".join(map(str, first["loc"]))
        expected = first["msg"].removeprefix("Input should be ")
        raise ConfigurationError(f"{path}: {where}" if where else str(path), first["input"], expected) from None
