"""The units that exporters speak, and what turns each into the canonical one of its kind."""

from __future__ import annotations

from enum import StrEnum


class Unit(StrEnum):
    """As a field map writes it."""

    WATTS = "W"
    MILLIWATTS = "mW"
    KILOWATTS = "kW"
    JOULES = "J"
    MILLIJOULES = "mJ"
    MICROJOULES = "uJ"
    KILOWATT_HOURS = "kWh"
    RATIO = "ratio"
    PERCENT = "percent"
    BYTES = "B"
    KIBIBYTES = "KiB"
    MEBIBYTES = "MiB"
    GIBIBYTES = "GiB"
    CELSIUS = "C"
    NUMBER = "number"


class Kind(StrEnum):
    """What is measured; values of one kind can be converted into each other."""

    POWER = "power"
    ENERGY = "energy"
    FRACTION = "fraction"
    MEMORY = "memory"
    TEMPERATURE = "temperature"
    NUMBER = "number"


_CANONICAL: dict[Unit, tuple[Kind, float]] = {
    Unit.WATTS: (Kind.POWER, 1),
    Unit.MILLIWATTS: (Kind.POWER, 1e-3),
    Unit.KILOWATTS: (Kind.POWER, 1e3),
    Unit.JOULES: (Kind.ENERGY, 1),
    Unit.MILLIJOULES: (Kind.ENERGY, 1e-3),
    Unit.MICROJOULES: (Kind.ENERGY, 1e-6),
    Unit.KILOWATT_HOURS: (Kind.ENERGY, 3.6e6),
    Unit.RATIO: (Kind.FRACTION, 1),
    Unit.PERCENT: (Kind.FRACTION, 1e-2),
    Unit.BYTES: (Kind.MEMORY, 1),
    Unit.KIBIBYTES: (Kind.MEMORY, 2**10),
    Unit.MEBIBYTES: (Kind.MEMORY, 2**20),
    Unit.GIBIBYTES: (Kind.MEMORY, 2**30),
    Unit.CELSIUS: (Kind.TEMPERATURE, 1),
    Unit.NUMBER: (Kind.NUMBER, 1),
}


def factor_of(unit: Unit) -> float:
    """What a value in that unit is multiplied with to be in watts, joules, a fraction, bytes or degrees Celsius."""
    return _CANONICAL[unit][1]


def units_of(kind: Kind) -> tuple[Unit, ...]:
    """All that measure it."""
    return tuple(unit for unit, (of, _) in _CANONICAL.items() if of is kind)
