"""What Grafana's PostgreSQL data source makes of the SQL of a panel before the database sees it.

The browser puts variables in their places (`interpolation`), then the server expands macros: so does this, to the
letter, so that queries can be run without a Grafana. What fills the gaps of a time group is Grafana's work on the
result, and no SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.errors import FleettwinError

_CALL = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_DAYS = re.compile(r"(\d+)([dw])")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_UNITS = {"y": 31_536_000_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
"""Milliseconds of the units that intervals are written in, the largest first."""
_STEPS = (
    *(1, 2, 5, 10, 15, 20, 30),
    *(60, 120, 300, 600, 900, 1200, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800),
)
"""Seconds: the lengths of buckets that Grafana chooses from, whatever a screen's width."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MacroError(FleettwinError):
    """A query that Grafana would refuse, with what it says."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What a query is expanded for.

    Args:
        since: Where the range begins.
        until: Where it ends.
        interval: How long a bucket is.
        timescaledb: Whether the data source says that it has TimescaleDB.
    """

    since: datetime
    until: datetime
    interval: timedelta
    timescaledb: bool = True

    @classmethod
    def of(cls, length: timedelta, until: datetime, shortest: timedelta = timedelta(0), points: int = 1000) -> Screen:
        """The screen of a panel so many points wide, with about the interval that Grafana would choose."""
        wanted = length.total_seconds() / points
        nearest = min(_STEPS, key=lambda step: abs(step - wanted))
        return cls(until - length, until, max(timedelta(seconds=nearest), shortest))


def expanded(sql: str, screen: Screen) -> str:
    """The SQL that the database sees.

    Raises:
        MacroError: an unknown macro, or one with wrong arguments.
    """
    for name, text in (
        ("$__interval_ms", str(screen.interval // timedelta(milliseconds=1))),
        ("$__interval", duration(screen.interval)),
        ("$__unixEpochFrom()", str(_seconds(screen.since))),
        ("$__unixEpochTo()", str(_seconds(screen.until))),
    ):
        sql = sql.replace(name, text)

    def replaced(call: re.Match[str]) -> str:
        name, arguments = call[1], [argument.strip(" ") for argument in call[2].split(",")]
        after = sql.index(call[0]) + len(call[0])
        if name == "__timeGroup" and sql[after : after + 1] == ",":
            # a column among others must have a name, and queries of old gave it none
            name = "__timeGroupAlias"
        macro = _MACROS.get(name)
        if macro is None:
            raise MacroError(f"unknown macro {name}")
        return macro(arguments, screen)

    return _CALL.sub(replaced, sql)


def duration(length: timedelta) -> str:
    """A length as Grafana writes it: in the largest unit that it is at least one of, and the rest is cut off."""
    milliseconds = length // timedelta(milliseconds=1)
    for unit, size in _UNITS.items():
        if milliseconds >= size:
            return f"{milliseconds // size}{unit}"
    return f"{max(milliseconds, 1)}ms"


def literal(time: datetime) -> str:
    """A time as Grafana writes it: quoted, UTC, and a fraction only where there is one."""
    text = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{time.microsecond:06}".rstrip("0") if time.microsecond else ""
    return f"'{text}{fraction}Z'"


def _filter(arguments: list[str], screen: Screen) -> str:
    return f"{arguments[0]} BETWEEN {literal(screen.since)} AND {literal(screen.until)}"


def _epoch_filter(unit: Callable[[datetime], int]) -> Callable[[list[str], Screen], str]:
    return lambda arguments, screen: (
        f"{arguments[0]} >= {unit(screen.since)} AND {arguments[0]} <= {unit(screen.until)}"
    )


def _group(arguments: list[str], screen: Screen) -> str:
    seconds = _length(arguments)
    if screen.timescaledb:
        return f"time_bucket('{seconds:.3f}s',{arguments[0]})"
    return f"floor(extract(epoch from {arguments[0]})/{seconds:.12g})*{seconds:.12g}"


def _epoch_group(arguments: list[str], _: Screen) -> str:
    seconds = _length(arguments)
    return f"floor(({arguments[0]})/{seconds:.12g})*{seconds:.12g}"


def _length(arguments: list[str]) -> float:
    """Seconds of the second argument; months and years, of which each is another, are not for groups of ours."""
    if len(arguments) < 2:
        raise MacroError("a group needs time column and interval and optional fill value")
    text = arguments[1].strip("'")
    days = _DAYS.fullmatch(text)
    if days is not None:
        return int(days[1]) * _SECONDS[days[2]]
    parts = _LENGTH.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise MacroError(f"error parsing interval {arguments[1]}")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _seconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(seconds=1)


def _nanoseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1) * 1000


_MACROS: Mapping[str, Callable[[list[str], Screen], str]] = {
    "__time": lambda arguments, _: f'{arguments[0]} AS "time"',
    "__timeEpoch": lambda arguments, _: f'extract(epoch from {arguments[0]}) as "time"',
    "__timeFilter": _filter,
    "__timeFrom": lambda _, screen: literal(screen.since),
    "__timeTo": lambda _, screen: literal(screen.until),
    "__timeGroup": _group,
    "__timeGroupAlias": lambda arguments, screen: _group(arguments, screen) + ' AS "time"',
    "__unixEpochFilter": _epoch_filter(_seconds),
    "__unixEpochNanoFilter": _epoch_filter(_nanoseconds),
    "__unixEpochNanoFrom": lambda _, screen: str(_nanoseconds(screen.since)),
    "__unixEpochNanoTo": lambda _, screen: str(_nanoseconds(screen.until)),
    "__unixEpochGroup": _epoch_group,
    "__unixEpochGroupAlias": lambda arguments, screen: _epoch_group(arguments, screen) + ' AS "time"',
}
