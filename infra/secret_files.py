"""Secrets from the environment or from files: read when they are needed, so that a changed file counts at once."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from models.errors import ConfigurationError


def secret_of(setting: str, value: SecretStr | None, file: Path | None) -> str | None:
    """The secret that one of two settings gives, the other being `setting` + `_FILE`; none where neither does.

    Raises:
        ConfigurationError: both do, or the file cannot be read, or what it says is empty or more than a line.
    """
    if value is not None and file is not None:
        raise ConfigurationError(f"{setting}_FILE", str(file), f"no such setting while {setting} is set")
    if file is None:
        said, where = None if value is None else value.get_secret_value(), setting
    else:
        where = f"{setting}_FILE"
        try:
            said = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not text"
            raise ConfigurationError(where, str(file), f"a readable file ({why})") from None
    if said is not None and (not said or not said.isascii() or not said.isprintable()):
        raise ConfigurationError(where, "(hidden)" if file is None else str(file), "one line of printable ASCII")
    return said
