"""A field map: which metrics of an exporter are which measures, and in which unit; shipped, or the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from models.errors import ConfigurationError
from models.strict_yaml import read_yaml
from streams.publish.measures import Throttle
from streams.publish.scraping.units import Kind, Unit, factor_of, units_of

SHIPPED = ("dcgm", "amd", "gaudi", "ipmi")

MetricName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Several(StrEnum):
    """What becomes of several values where one is expected."""

    REFUSED = "refused"
    """None of them counts, and a failure says so."""
    SAME = "same"
    """They are the same value said again; it counts if they agree."""
    SUM = "sum"
    """They are parts of one whole."""


class Metrics(_Strict):
    """Metrics that say the same in the same unit; the first one that an accelerator has a usable value of counts."""

    metrics: Annotated[tuple[MetricName, ...], Field(min_length=1)]
    unit: Unit | None = None
    scale: Annotated[float, Field(gt=0)] | None = None
    """In place of a unit that has no name here: what a value is multiplied with to be in the canonical one."""
    where: dict[str, tuple[str, ...]] = {}
    """Labels and the values that they may have; a label that is not there counts as empty."""
    blanks: tuple[float, ...] = ()
    """Values, in the exporter's unit, by which it says that it does not know."""
    several: Several = Several.REFUSED
    """Of one accelerator or node."""
    of_parts: Several = Several.REFUSED
    """What the parts of an accelerator say of it, where nothing is said of the whole."""

    @property
    def factor(self) -> float:
        """What turns a value into watts, joules, a fraction, bytes or degrees Celsius."""
        return factor_of(self.unit) if self.unit is not None else self.scale or 1.0


class Bits(Metrics):
    """Metrics whose bits say what slows an accelerator; bits that are not named count for nothing."""

    unit: Unit | None = Unit.NUMBER
    bits: Annotated[dict[Annotated[int, Field(gt=0)], Throttle], Field(min_length=1)]


class Measures(_Strict):
    """What is measured of each accelerator; each in order of preference."""

    power_watts: tuple[Metrics, ...] = ()
    energy_joules: tuple[Metrics, ...] = ()
    utilization: tuple[Metrics, ...] = ()
    sm_active: tuple[Metrics, ...] = ()
    memory_used_bytes: tuple[Metrics, ...] = ()
    temperature_celsius: tuple[Metrics, ...] = ()
    xid: tuple[Metrics, ...] = ()
    throttled: tuple[Bits, ...] = ()


class Parts(_Strict):
    """How series of a part of an accelerator, such as a MIG instance, are told from those of the whole."""

    label: str
    whole: tuple[str, ...] = ("",)
    """The label's values by which a series is of the whole; a label that is not there counts as empty."""
    numbered_as_whole: bool
    """Whether the accelerator's label still says which accelerator it is a part of; else such series are left out."""


class Accelerators(_Strict):
    """How accelerators are told apart, and what is measured of each."""

    label: str
    """Holds the number of each: its place in the node's own order."""
    model: tuple[str, ...] = ()
    """Labels that may hold the product's name; the first whose value is known counts. None where no label does."""
    parts: Parts | None = None
    measures: Measures


class Node(_Strict):
    """What is measured of the whole node; never a sum of its accelerators."""

    power_watts: tuple[Metrics, ...] = ()
    energy_joules: tuple[Metrics, ...] = ()


KINDS = {
    "power_watts": Kind.POWER,
    "energy_joules": Kind.ENERGY,
    "utilization": Kind.FRACTION,
    "sm_active": Kind.FRACTION,
    "memory_used_bytes": Kind.MEMORY,
    "temperature_celsius": Kind.TEMPERATURE,
    "xid": Kind.NUMBER,
    "throttled": Kind.NUMBER,
}
"""Of each measure."""


@dataclass(frozen=True, slots=True)
class Use:
    """What some metrics are used for."""

    path: str
    """Where the map says so."""
    measure: str
    of_node: bool
    metrics: Metrics


class FieldMap(_Strict):
    """One exporter's metrics."""

    name: str
    recognised_by: tuple[MetricName, ...] = ()
    """Metrics of which one is enough to know this exporter; all that are mapped, where none is named."""
    blanks: tuple[float, ...] = ()
    """Values by which any metric of the exporter says that it does not know."""
    accelerators: Accelerators | None = None
    node: Node = Node()

    def uses(self) -> Iterator[Use]:
        """All measures' metrics, those of one measure in order of preference."""
        if self.accelerators is not None:
            for measure, several in self.accelerators.measures:
                path = f"accelerators.measures.{measure}"
                yield from (Use(f"{path}.{place}", measure, False, one) for place, one in enumerate(several))
        for measure, several in self.node:
            yield from (Use(f"node.{measure}.{place}", measure, True, one) for place, one in enumerate(several))

    @property
    def mapped(self) -> frozenset[str]:
        """The names of all metrics that become measures."""
        return frozenset(name for use in self.uses() for name in use.metrics.metrics)

    @property
    def recognised(self) -> frozenset[str]:
        """The names of which one is enough."""
        return frozenset(self.recognised_by) or self.mapped


def shipped_map(name: str) -> FieldMap:
    """One that fleettwin comes with.

    Raises:
        ConfigurationError: there is none of that name.
    """
    if name not in SHIPPED:
        raise ConfigurationError("map", name, f"one of {', '.join(SHIPPED)}")
    text = files("streams.publish.exporters").joinpath(f"{name}.yaml").read_text("utf-8")
    return read_field_map(text, f"{name}.yaml")


def user_map(path: Path) -> FieldMap:
    """The one in a file.

    Raises:
        ConfigurationError: it cannot be read, or is wrong; names file, path and value.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        raise ConfigurationError("field map", str(path), "the path of a readable YAML file") from None
    return read_field_map(text, str(path))


def read_field_map(text: str, name: str) -> FieldMap:
    """What the YAML says; `name` is the file's, for messages.

    Raises:
        ConfigurationError: names file, path and value.
    """
    try:
        field_map = FieldMap.model_validate(read_yaml(text, name))
    except ValidationError as invalid:
        first = invalid.errors()[0]
        path = ".".join(map(str, first["loc"])) or "the whole"
        raise ConfigurationError(f"{name}: {path}", first["input"], first["msg"]) from None
    _check(field_map, name)
    return field_map


def _check(field_map: FieldMap, name: str) -> None:
    """What no single field shows."""
    if not field_map.mapped:
        raise ConfigurationError(name, field_map.name, "at least one metric that is mapped to a measure")
    seen: set[tuple[str, str]] = set()
    for use in field_map.uses():
        where, metrics = f"{name}: {use.path}", use.metrics
        units = units_of(KINDS[use.measure])
        if (metrics.unit is None) == (metrics.scale is None):
            raise ConfigurationError(f"{where}.unit", metrics.unit, f"either a unit ({', '.join(units)}) or a scale")
        if metrics.unit is not None and metrics.unit not in units:
            raise ConfigurationError(f"{where}.unit", str(metrics.unit), f"one of {', '.join(units)}")
        if use.of_node and metrics.of_parts is not Several.REFUSED:
            raise ConfigurationError(f"{where}.of_parts", str(metrics.of_parts), "nothing: a node has no parts")
        for metric in metrics.metrics:
            key = (metric, str(sorted(metrics.where.items())))
            if key in seen:
                raise ConfigurationError(f"{where}.metrics", metric, "each metric once")
            seen.add(key)
