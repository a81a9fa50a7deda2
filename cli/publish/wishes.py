"""What the user wants, from wherever it was said: options win over settings, settings over the file of `--config`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.settings import PublishSettings
from models.errors import ConfigurationError
from streams.publish.configuration import TargetEntry, Wanted, read_wanted

_FOLDER = "fleettwin"


def wanted_of(options: Mapping[str, Any], settings: PublishSettings, config: Path | None) -> Wanted:
    """All of it in one.

    Args:
        options: By the names of `Wanted`, and `targets` as addresses; None and nothing where one is not given.
        settings: From the environment.
        config: The file, if there is one.

    Raises:
        ConfigurationError: the file cannot be read or is wrong, or addresses are given here and there.
    """
    file = Wanted() if config is None else read_wanted(config)
    said = {**_said(settings.model_dump(exclude={"config", "target"})), **_said(options)}
    addresses = said.pop("targets", None) or (() if settings.target is None else (settings.target,))
    if addresses and file.targets:
        raise ConfigurationError("--target", addresses[0], f"none, since {config} has targets")
    if addresses:
        said["targets"] = tuple(TargetEntry(url=address) for address in addresses)
    return file.model_copy(update=said)


def state_folder(wanted: Wanted, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the publisher remembers: as the user says, else where systemd or the desktop's rules would have it.

    Raises:
        ConfigurationError: nothing says it, not even a home.
    """
    if wanted.state_dir is not None:
        return wanted.state_dir
    systemd = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if systemd:
        return Path(systemd)
    if environment.get("XDG_STATE_HOME"):
        return Path(environment["XDG_STATE_HOME"]) / _FOLDER
    home = environment.get("HOME")
    if not home:
        raise ConfigurationError("--state-dir", None, "a folder, since there is no HOME to have one in")
    return Path(home) / ".local" / "state" / _FOLDER


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != []}
