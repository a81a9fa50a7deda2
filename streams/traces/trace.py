"""What a public trace is here: where it comes from, what a folder of it holds, and how it becomes a log.

`streams.traces.known` has the traces; how to add one is told in docs/traces.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import JsonValue

from models.record import Record
from twin.rules import Rules

Choice = TypeVar("Choice")
"""What somebody chooses who converts the trace: a dataclass whose fields say how they are asked for."""


@dataclass(frozen=True, slots=True)
class Argument:
    """Stands in the annotation of a choice that is given without a name."""

    help: str


@dataclass(frozen=True, slots=True)
class Option:
    """Stands in the annotation of a choice that is given by name."""

    flag: str
    help: str
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a trace that can be converted alone, as people are shown it."""

    name: str
    size: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A file that goes with a log: a twin is told of it by a setting."""

    setting: str
    """An environment variable that names the file."""
    ending: str
    """What the file is called behind the name of the log."""
    text: str
    path: Path | None = None
    """Where else it goes, if not beside the log."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A log that can be written."""

    header: Mapping[str, JsonValue]
    """What the log says of itself beside the trace's name and the rules."""
    records: Iterable[Record]
    """To be iterated once; none has its place yet."""
    summary: Callable[[], str]
    """What there was, once the records have been iterated."""
    rules: Rules = field(default_factory=Rules)
    """Of the twin that the log is meant for."""
    beside: tuple[Beside, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace(Generic[Choice]):
    """A public trace. Errors of `runs` and `convert` are `ConfigurationError`s that name file, place and value."""

    name: str
    title: str
    source: str
    """The page from which it comes."""
    licence: str
    files: str
    """What must be in a folder of it."""
    choices: type[Choice]
    runs: Callable[[Path], Sequence[Listed]]
    """What is in a folder."""
    convert: Callable[[Choice], Conversion]
    """Its docstring is what the command says of itself."""
