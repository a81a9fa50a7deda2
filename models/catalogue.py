"""The accelerator catalogue: what each type draws and computes, as data with its sources (`catalogue.yaml`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Any, Self, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError, model_validator

from models.demand import Workload
from models.errors import ConfigurationError, RecordRefused
from models.names import Event, Name
from models.strict_yaml import read_yaml

_Model = TypeVar("_Model", bound=BaseModel)

_SHIPPED = "models/catalogue.yaml"

H100_TFLOPS = 989.0
"""Dense BF16 of one H100 SXM: the unit of H100 equivalents."""

Draw = Annotated[float, Field(ge=0, le=200_000)]
Share = Annotated[float, Field(gt=0, le=1)]


class Activity(Event):
    """What each kind of work adds to an idle node's watts, as a part of what training adds."""

    inference: Share = 1.0
    latency_bound: Share = 1.0
    sources: tuple[str, ...] = ()

    def of(self, workload: Workload | None) -> float:
        """The part of a kind of work; work of no kind counts as training."""
        match workload:
            case Workload.INFERENCE:
                return self.inference
            case Workload.LATENCY_BOUND:
                return self.latency_bound
            case Workload.TRAINING | None:
                return 1.0


class AcceleratorType(Event):
    """One type of accelerator in its usual node. Watts are for one accelerator unless the name says host."""

    id: Name
    vendor: str
    name: str
    bf16_tflops: Annotated[float, Field(gt=0)] | None
    """Dense, FP16 of chips older than BF16; none where it is unpublished or no fair measure of the chip."""
    idle_watts: Draw
    typical_watts: Draw
    """Under its usual training; what a planned accelerator is counted with."""
    max_watts: Draw
    per_node: Annotated[int, Field(ge=1, le=1024)]
    host_idle_watts: Draw
    """What a node draws beside its accelerators (CPU, memory, network, fans) when they idle."""
    host_max_watts: Draw
    power_model_error: Annotated[float, Field(ge=0, le=1)]
    """Mean absolute error to expect where watts are modelled from utilisation."""
    counts_as_h100: bool = True
    activity: Activity = Activity()
    """The catalogue's, unless the type has its own."""
    sources: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _draws_are_ordered(self) -> Self:
        if not self.idle_watts <= self.typical_watts <= self.max_watts:
            raise ValueError("idle_watts, typical_watts and max_watts must not fall")
        if self.host_idle_watts > self.host_max_watts:
            raise ValueError("host_idle_watts exceeds host_max_watts")
        return self

    @property
    def milli_h100e(self) -> int:
        """Thousandths of an H100 that one accelerator is worth; 0 where it is not counted."""
        if self.bf16_tflops is None or not self.counts_as_h100:
            return 0
        return round(self.bf16_tflops / H100_TFLOPS * 1000)

    @property
    def digest(self) -> str:
        """Tells one set of figures from another; what only people read is left out."""
        figures = self.model_dump(
            mode="json", exclude={"vendor": True, "name": True, "sources": True, "activity": {"sources"}}
        )
        return hashlib.sha256(orjson.dumps(figures, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    def working_milliwatts(self, workload: Workload | None) -> int:
        """IT milliwatts that such work on one more accelerator adds: its own above idle, its share of the host's."""
        host = (self.host_max_watts - self.host_idle_watts) / self.per_node
        busy = (self.typical_watts - self.idle_watts) / max(self.max_watts - self.idle_watts, 1e-9)
        training = self.typical_watts - self.idle_watts + host * busy
        return round(training * self.activity.of(workload) * 1000)


@dataclass(frozen=True, slots=True)
class TypeColumns:
    """The figures of all types in the order of `Catalogue.ids`; milliwatts, for one accelerator or one host."""

    idle: NDArray[np.int64]
    full: NDArray[np.int64]
    host_idle: NDArray[np.int64]
    host_full: NDArray[np.int64]
    per_node: NDArray[np.int64]

    def plausible(self, code: NDArray[np.int64], installed: NDArray[np.int64]) -> NDArray[np.int64]:
        """The most that a node may say it draws: 1.25 times all of its accelerators and its host at full load."""
        hosts = self._hosts(code, installed)
        most: NDArray[np.int64] = (installed * self.full[code] + hosts * self.host_full[code]) * 5 // 4
        return most

    def modelled(
        self, code: NDArray[np.int64], installed: NDArray[np.int64], ppm: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """What a node draws at a mean utilisation in parts per million: linear from idle to full, host included."""
        hosts = self._hosts(code, installed)
        idle = installed * self.idle[code] + hosts * self.host_idle[code]
        full = installed * self.full[code] + hosts * self.host_full[code]
        draw: NDArray[np.int64] = idle + (full - idle) * ppm // 1_000_000
        return draw

    def _hosts(self, code: NDArray[np.int64], installed: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many hosts so many accelerators need: nearly always one, and NumPy is slow to divide."""
        per_node = self.per_node[code]
        if (installed <= per_node).all():
            return np.ones_like(installed)
        hosts: NDArray[np.int64] = np.maximum(1, -(-installed // per_node))
        return hosts


@dataclass(frozen=True)
class Catalogue:
    """The types by id."""

    types: Mapping[str, AcceleratorType] = field(default_factory=dict)

    def __getitem__(self, id_: str) -> AcceleratorType:
        """The type of that id.

        Raises:
            RecordRefused: `unknown_type`.
        """
        try:
            return self.types[id_]
        except KeyError:
            raise RecordRefused("unknown_type", f"type {id_!r}; known: {', '.join(self.ids)}") from None

    def __contains__(self, id_: object) -> bool:
        return id_ in self.types

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """All ids, sorted."""
        return tuple(sorted(self.types))

    @cached_property
    def codes(self) -> Mapping[str, int]:
        """The place of each id in `ids`: how columns name a type."""
        return {id_: code for code, id_ in enumerate(self.ids)}

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """Of each type's figures, by its id; a checkpoint is good for a catalogue that has them all unchanged."""
        return {id_: self.types[id_].digest for id_ in self.ids}

    @cached_property
    def columns(self) -> TypeColumns:
        """The figures of all types as columns."""
        kinds = [self.types[id_] for id_ in self.ids]

        def milliwatts(watts: Iterable[float]) -> NDArray[np.int64]:
            return np.array([round(value * 1000) for value in watts], dtype=np.int64)

        return TypeColumns(
            idle=milliwatts(kind.idle_watts for kind in kinds),
            full=milliwatts(kind.max_watts for kind in kinds),
            host_idle=milliwatts(kind.host_idle_watts for kind in kinds),
            host_full=milliwatts(kind.host_max_watts for kind in kinds),
            per_node=np.array([kind.per_node for kind in kinds], dtype=np.int64),
        )


def catalogue_of(types: Iterable[AcceleratorType]) -> Catalogue:
    """A catalogue of these types."""
    return Catalogue({kind.id: kind for kind in types})


def read_catalogue(text: str, name: str) -> Catalogue:
    """Read a catalogue from YAML; `name` is the file's, for messages.

    The entry `activity`, where there is one, is no type but what all types without their own have.

    Raises:
        ConfigurationError: naming file, path and value.
    """
    return _catalogue(_entries(text, name), name)


def extended_catalogue(text: str, name: str) -> Catalogue:
    """The shipped catalogue with more entries, read as `read_catalogue` does; one of the same id replaces the shipped.

    Raises:
        ConfigurationError: naming file, path and value.
    """
    return _catalogue({**_entries(_shipped(), _SHIPPED), **_entries(text, name)}, name)


def shipped_catalogue() -> Catalogue:
    """The catalogue that comes with the project."""
    return read_catalogue(_shipped(), _SHIPPED)


def _shipped() -> str:
    return files("models").joinpath("catalogue.yaml").read_text("utf-8")


def _entries(text: str, name: str) -> dict[Any, Any]:
    entries = read_yaml(text, name)
    if not isinstance(entries, dict):
        raise ConfigurationError(name, entries, "a mapping from type id to its figures")
    return entries


def _catalogue(entries: dict[Any, Any], name: str) -> Catalogue:
    activity = _entry(Activity, name, "activity", entries.pop("activity", {}), {})
    return catalogue_of(
        _entry(AcceleratorType, name, id_, entry, {"id": id_, "activity": activity}) for id_, entry in entries.items()
    )


def _entry(model: type[_Model], name: str, key: str, entry: Any, unsaid: Mapping[str, Any]) -> _Model:
    if not isinstance(entry, dict):
        raise ConfigurationError(f"{name}: {key}", entry, "a mapping")
    said = {**unsaid, **entry}
    try:
        return model.model_validate(said)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        path = ".".join(str(part) for part in (key, *first["loc"]))
        found = entry if first["input"] == said else first["input"]
        raise ConfigurationError(f"{name}: {path}", found, first["msg"]) from None
