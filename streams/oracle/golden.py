"""Golden results: what a fold came to, kept in a file to hold later folds against."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictInt, ValidationError

from infra.catalogues import chosen_catalogue
from infra.rules import rules_of
from infra.settings import Settings
from models.errors import ConfigurationError, first_doubt
from streams.logs.parts import LogPart, told

PARTS = ("shortages", "readings", "samples", "dead_letters", "energy_joules", "state_hash")
"""What a golden result may hold, in the order in which it is compared: what tells most comes first."""

FROM_PRINTING = ("seconds",)
"""What `--json` says beside them, which is no part of a result."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class OfLog(_Part):
    """Which log."""

    sha256: str | None = None
    """Of the whole file."""
    created_by: str | None = None
    """By the log's own word."""
    since: str | None = Field(None, alias="from")
    """From when on, where it is a part of the log."""
    until: str | None = None


class MadeFrom(_Part):
    """What a result follows from."""

    log: OfLog = OfLog()
    rules: Mapping[str, int] = {}
    rules_digest: str | None = None
    """Also tells one revision of the machines from another under the same rules."""
    catalogue: Mapping[str, str] = {}
    """The digest of each type's figures by its id."""


class GoldenResult(BaseModel):
    """Any part may be left out; those that are there are compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    made_from: MadeFrom | None = None
    shortages: list[dict[str, JsonValue]] | None = None
    readings: dict[str, StrictInt] | None = None
    samples: dict[str, StrictInt] | None = None
    dead_letters: StrictInt | None = None
    energy_joules: dict[str, StrictInt] | None = None
    state_hash: str | None = None

    def parts(self) -> dict[str, Any]:
        """The parts that are there, by name, in the order in which they are compared."""
        return {name: part for name in PARTS if (part := getattr(self, name)) is not None}


def made_from(settings: Settings, part: LogPart) -> dict[str, Any]:
    """What a fold of this part under these settings follows from."""
    rules, span = rules_of(settings.twin), part.span
    with part.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "log": {
            "sha256": digest,
            "created_by": part.header.created_by,
            "from": None if span.since is None else told(span.since),
            "until": None if span.until is None else told(span.until),
        },
        "rules": asdict(rules),
        "rules_digest": rules.digest,
        "catalogue": dict(chosen_catalogue(settings.twin).digests),
    }


def read_golden(path: Path) -> GoldenResult:
    """The golden result of a file.

    Raises:
        ConfigurationError: the file cannot be read, or is none.
    """
    expected = "what `fleettwin replay LOG --to offline` prints with --json or writes with --write-expected"
    try:
        said = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError("--expect", str(path), f"a file that can be read ({error.strerror})") from None
    except orjson.JSONDecodeError as error:
        raise ConfigurationError("--expect", str(path), f"{expected}; this is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise ConfigurationError("--expect", str(path), f"{expected}; this is JSON, but no object")
    for name in FROM_PRINTING:
        said.pop(name, None)
    try:
        golden = GoldenResult.model_validate(said)
    except ValidationError as invalid:
        raise ConfigurationError("--expect", str(path), f"{expected}; {first_doubt(invalid)}") from None
    if not golden.parts():
        raise ConfigurationError("--expect", str(path), f"{expected}; it holds none of {', '.join(PARTS)}")
    return golden


def write_golden(path: Path, result: Mapping[str, Any], origin: Mapping[str, Any]) -> None:
    """Write a golden result, a value a line; one that is there is written anew, any other file is left alone.

    Raises:
        ConfigurationError: there is another file of that name, or it cannot be written.
    """
    if path.exists():
        try:
            read_golden(path)
        except ConfigurationError:
            raise ConfigurationError(
                "--write-expected", str(path), "a new file, or a golden result to write anew; this is another file"
            ) from None
    whole = {"made_from": origin, **{name: result[name] for name in PARTS}}
    try:
        path.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        raise ConfigurationError(
            "--write-expected", str(path), f"a file that can be written ({error.strerror})"
        ) from None


def other_origins(expected: MadeFrom | None, found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a golden result was made from and the present one is not: the path in the file, and the same in words.

    A catalogue may have more types than it had. Where a golden result does not say, nothing is other.
    """
    if expected is None:
        return
    now = MadeFrom.model_validate(found)
    for name, value in expected.rules.items():
        if now.rules.get(name) != value:
            yield f"made_from.rules.{name}", f"under other rules: {name} was {value} and is {now.rules.get(name)}"
    if expected.rules_digest not in (None, now.rules_digest) and expected.rules == now.rules:
        yield "made_from.rules_digest", "by another revision of the twin, under the same rules"
    elif expected.rules_digest not in (None, now.rules_digest) and not expected.rules:
        yield "made_from.rules_digest", "under other rules"
    for id_, digest in expected.catalogue.items():
        if now.catalogue.get(id_) != digest:
            other = "other figures" if id_ in now.catalogue else "without it"
            yield f"made_from.catalogue.{id_}", f"with another catalogue: {id_} ({other} now)"
    for name, bound, then, is_ in (
        ("from", "beginning", expected.log.since, now.log.since),
        ("until", "end", expected.log.until, now.log.until),
    ):
        if then != is_:
            words = f"{name} was {then or f'the {bound}'} and is {is_ or f'the {bound}'}"
            yield f"made_from.log.{name}", f"of another part of the log: {words}"
    if expected.log.sha256 not in (None, now.log.sha256):
        yield "made_from.log.sha256", f"from another log, of SHA-256 {expected.log.sha256}"
    elif expected.log.created_by not in (None, now.log.created_by):
        yield "made_from.log.created_by", f"from another log, by {expected.log.created_by}"
