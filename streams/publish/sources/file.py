"""Measures that a script of the user's writes into a file, again and again: one JSON object for each node.

The file holds an object, a list of them, or one a line. One that is not written anew is a failure: what was true then
would be told as if it were true now.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from models.catalogue import Catalogue
from models.errors import ConfigurationError, RecordRefused, Unavailable, first_doubt
from models.instants import instant_of
from streams.publish.measures import (
    AcceleratorMeasure,
    Component,
    Failure,
    Identity,
    NodeMeasure,
    Sampled,
    Throttle,
)
from streams.publish.options import SourceOptions, Target, extra_of


class FileOptions(BaseModel):
    """What the configuration's `options` may say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_age_seconds: Annotated[float, Field(gt=0)] = 60.0
    """A file that was written longer ago tells nothing of now."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileAccelerator(_Part):
    """One accelerator in the file; fields as those of `AcceleratorMeasure`."""

    power_watts: float | None = None
    energy_joules: float | None = None
    utilization: float | None = None
    sm_active: float | None = None
    memory_used_bytes: int | None = None
    temperature_celsius: float | None = None
    fault: str | None = None
    xid: int | None = None
    throttled: tuple[Throttle, ...] | None = None


class FileNode(_Part):
    """One node in the file; what it does not say of itself, the target does."""

    node: str | None = None
    site: str | None = None
    rack: str | None = None
    type: str | None = None
    installed: int | None = None
    at: AwareDatetime | None = None
    """When it was measured; unsaid, when the file was written."""
    allocated: int | None = None
    power_watts: float | None = None
    energy_joules: float | None = None
    accelerators: tuple[FileAccelerator, ...] = ()


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
        endpoint, objects = str(_path(target)), _objects(content)
        if not objects:
            failed(Failure(endpoint, "there is no object in it"))
        for place, one in objects:
            try:
                yield self._node(target, FileNode.model_validate_json(one), stamp)
            except ValidationError as invalid:
                failed(Failure(endpoint, f"{place}: {first_doubt(invalid)}"))
            except (ConfigurationError, RecordRefused) as unsaid:
                failed(Failure(endpoint, f"{place}: {unsaid}"))

    def _node(self, target: Target, said: FileNode, stamp: os.stat_result) -> NodeMeasure:
        given = target.identity
        identity = Identity(said.site or given.site, said.node or given.node, said.rack or given.rack)
        if not identity.node:
            raise ConfigurationError("node", None, "a name there, or --node for a file with one node")
        type_ = target.type or said.type
        if type_ is None:
            raise ConfigurationError("type", None, "an id of the catalogue there, or --type")
        usual = len(said.accelerators) or self._catalogue[type_].per_node
        installed = target.installed or said.installed or usual
        at = int(stamp.st_mtime * 1000) if said.at is None else instant_of(said.at)
        return NodeMeasure(
            Component(identity, type_, installed, f"file {target.url}"),
            at,
            tuple(map(_accelerator, said.accelerators)),
            power_watts=said.power_watts,
            energy_joules=said.energy_joules,
            allocated=said.allocated,
        )


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


def _objects(content: bytes) -> list[tuple[str, bytes]]:
    """Each object as JSON, with its place for messages; one a line where it is no JSON as a whole."""
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        lines = content.splitlines()
        return [(f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if isinstance(whole, list):
        return [(f"object {number}", orjson.dumps(one)) for number, one in enumerate(whole, 1)]
    return [("the object", content)]


def _accelerator(said: FileAccelerator) -> AcceleratorMeasure:
    known = {name: value for name, value in said if name != "throttled"}
    return AcceleratorMeasure(**known, throttled=None if said.throttled is None else frozenset(said.throttled))
