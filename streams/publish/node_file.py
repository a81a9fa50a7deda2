"""The form in which a script of the user's writes measures: an object for each node, a list of them, or one a line."""

from __future__ import annotations

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict

from models.catalogue import Catalogue
from models.errors import ConfigurationError
from models.instants import instant_of
from streams.publish.measures import AcceleratorMeasure, Component, Identity, NodeMeasure, Throttle
from streams.publish.options import Target


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


def objects_of(content: bytes) -> list[tuple[str, bytes]]:
    """Each object as JSON, with its place for messages; one a line where it is no JSON as a whole."""
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        lines = content.splitlines()
        return [(f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if isinstance(whole, list):
        return [(f"object {number}", orjson.dumps(one)) for number, one in enumerate(whole, 1)]
    return [("the object", content)]


def measure_of(said: FileNode, target: Target, catalogue: Catalogue, written: float) -> NodeMeasure:
    """What an object says of its node, completed by what the target says.

    Args:
        said: The object.
        target: The file that it is in.
        catalogue: Says how many accelerators a node of a type usually has.
        written: When, in seconds since 1970.

    Raises:
        ConfigurationError: nothing names the node, or its type.
        RecordRefused: the type is not in the catalogue.
    """
    given = target.identity
    identity = Identity(said.site or given.site, said.node or given.node, said.rack or given.rack)
    if not identity.node:
        raise ConfigurationError("node", None, "a name there, or --node for a file with one node")
    type_ = target.type or said.type
    if type_ is None:
        raise ConfigurationError("type", None, "an id of the catalogue there, or --type")
    usual = len(said.accelerators) or catalogue[type_].per_node
    installed = target.installed or said.installed or usual
    return NodeMeasure(
        Component(identity, type_, installed, f"file {target.url}"),
        at=int(written * 1000) if said.at is None else instant_of(said.at),
        accelerators=tuple(map(_accelerator, said.accelerators)),
        power_watts=said.power_watts,
        energy_joules=said.energy_joules,
        allocated=said.allocated,
    )


def _accelerator(said: FileAccelerator) -> AcceleratorMeasure:
    known = {name: value for name, value in said if name != "throttled"}
    return AcceleratorMeasure(**known, throttled=None if said.throttled is None else frozenset(said.throttled))
