"""Measures that a script of the user's writes into a file, again and again.

A file that is not written anew is a failure: what was true then would be told as if it were true now.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.catalogue import Catalogue
from models.errors import ConfigurationError, RecordRefused, Unavailable, first_doubt
from streams.publish.measures import Component, Failure, NodeMeasure, Sampled
from streams.publish.node_file import FileNode, measure_of, objects_of
from streams.publish.options import SourceOptions, Target, extra_of


class FileOptions(BaseModel):
    """What the configuration's `options` may say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_age_seconds: Annotated[float, Field(gt=0)] = 60.0
    """A file that was written longer ago tells nothing of now."""


class FileSource:
    """Some files.

    Args:
        targets: Each with its path as `url`.
        catalogue: Says how many accelerators a node of a type usually has.
        max_age: Seconds.
        clock: Seconds since 1970.
    """

    name = "file"

    def __init__(
        self,
        targets: Sequence[Target],
        catalogue: Catalogue,
        max_age: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._targets, self._catalogue, self._max_age, self._clock = targets, catalogue, max_age, clock
        self._seen: dict[str, tuple[int, int, int]] = {}

    async def discover(self) -> Sequence[Component]:
        """The nodes that the files name now."""
        found: list[Component] = []
        failures: list[Failure] = []
        for target in self._targets:
            path = _path(target)
            try:
                found += [node.component for node in self._nodes(target, *_read(path), failures.append)]
            except OSError as error:
                raise Unavailable(str(path), error.strerror or str(error), "Let your script write it") from None
        if failures:
            raise Unavailable(failures[0].endpoint, failures[0].why, "docs/publishing.md says how it is written")
        return found

    async def sample(self) -> Sampled:
        """What the files say that have been written anew."""
        nodes: list[NodeMeasure] = []
        failures: list[Failure] = []
        for target in self._targets:
            nodes += self._fresh(target, failures.append)
        return Sampled(tuple(nodes), failures=tuple(failures))

    async def close(self) -> None:
        """Nothing is held."""

    def _fresh(self, target: Target, failed: Callable[[Failure], None]) -> list[NodeMeasure]:
        path = _path(target)
        try:
            content, stamp = _read(path)
        except OSError as error:
            failed(Failure(str(path), error.strerror or str(error)))
            return []
        age = self._clock() - stamp.st_mtime
        mark = stamp.st_ino, stamp.st_mtime_ns, stamp.st_size
        if age > self._max_age:
            failed(Failure(str(path), f"it was written {age:.0f} s ago; {self._max_age:g} s are allowed"))
        elif self._seen.get(str(path)) == mark:
            failed(Failure(str(path), "it has not been written since the beat before"))
        else:
            self._seen[str(path)] = mark
            return list(self._nodes(target, content, stamp, failed))
        return []

    def _nodes(
        self, target: Target, content: bytes, stamp: os.stat_result, failed: Callable[[Failure], None]
    ) -> Iterator[NodeMeasure]:
        endpoint, objects = str(_path(target)), objects_of(content)
        if not objects:
            failed(Failure(endpoint, "there is no object in it"))
        for place, one in objects:
            try:
                said = FileNode.model_validate_json(one)
                yield measure_of(said, target, self._catalogue, stamp.st_mtime)
            except ValidationError as invalid:
                failed(Failure(endpoint, f"{place}: {first_doubt(invalid)}"))
            except (ConfigurationError, RecordRefused) as unsaid:
                failed(Failure(endpoint, f"{place}: {unsaid}"))


def source_of(options: SourceOptions) -> FileSource:
    """The source.

    Raises:
        ConfigurationError: a target without a path, or an option that there is none of.
    """
    for target in options.targets:
        if target.url is None:
            raise ConfigurationError("--target", None, "the path of the file")
    extra = extra_of(options, FileOptions)
    return FileSource(options.targets, options.catalogue, extra.max_age_seconds)


def _path(target: Target) -> Path:
    return Path(target.url or "")


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    """What is in the file, and the state of that very file, whatever is renamed to its name meanwhile."""
    with path.open("rb") as file:
        return file.read(), os.fstat(file.fileno())
