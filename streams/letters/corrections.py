"""Corrected records from a file of JSON Lines, as `fleettwin dlq show --json` writes them and people edit them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import ConfigurationError, first_doubt
from models.record import Record
from streams.letters.contents import with_payload
from streams.letters.finding import Letter


class Correction(BaseModel):
    """A line; what else `show` writes is for people and is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    place: Annotated[str, Field(pattern=r"^[^/]+/[0-9]{1,10}/[0-9]{1,19}$")]
    """Of the record that was refused."""
    key: str | None = None
    """Of the record; unset: as it was."""
    payload: Any
    """What it should have said."""


def read_corrections(path: Path) -> Mapping[str, Correction]:
    """The lines by place.

    Raises:
        ConfigurationError: the file cannot be read, or a line is none; names the line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("--from", str(path), f"a readable file of JSON Lines: {error}") from None
    found: dict[str, Correction] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            said = Correction.model_validate_json(line)
        except ValidationError as invalid:
            where = f"line {number} of {path}"
            raise ConfigurationError(
                where, line[:80], f"a line of `fleettwin dlq show --json`: {first_doubt(invalid)}"
            ) from None
        if said.place in found:
            raise ConfigurationError(f"line {number} of {path}", said.place, "each place once")
        found[said.place] = said
    return found


def corrected(letter: Letter, correction: Correction) -> Record:
    """The letter's record as it was corrected.

    Raises:
        RecordRefused: what it says now cannot be written as such a record.
    """
    record = letter.refused if correction.key is None else replace(letter.refused, key=correction.key.encode())
    return with_payload(record, correction.payload)
