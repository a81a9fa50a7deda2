"""What the browser puts in the place of variables, as Grafana's PostgreSQL data source has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboards.grafana.macros import MacroError

_REFERENCE = re.compile(r"\$(\w+)|\$\{(\w+)(?::(\w+))?\}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The value of a variable.

    Args:
        values: What is chosen; all of them, where that is so.
        several: Whether the variable takes several values, or all.
    """

    values: Sequence[str]
    several: bool


def interpolated(sql: str, variables: Mapping[str, Chosen]) -> str:
    """The SQL with variables in their places; what is no variable, such as a macro, stays.

    Raises:
        MacroError: a format that is not for SQL.
    """

    def replaced(reference: re.Match[str]) -> str:
        name, how = reference[1] or reference[2], reference[3]
        chosen = variables.get(name)
        if chosen is None:
            return reference[0]
        if how is None:
            return _by_default(chosen)
        if how not in _FORMATS:
            raise MacroError(f"{reference[0]}: the format {how} is not for SQL")
        return _FORMATS[how](chosen)

    return _REFERENCE.sub(replaced, sql)


def _by_default(chosen: Chosen) -> str:
    if chosen.several:
        return _quoted(chosen)
    return chosen.values[0].replace("'", "''") if chosen.values else ""


def _quoted(chosen: Chosen) -> str:
    return ",".join("'" + value.replace("'", "''") + "'" for value in chosen.values)


def _sql_string(chosen: Chosen) -> str:
    return ",".join("'" + value.replace("'", "''").replace('"', '\\"') + "'" for value in chosen.values)


_FORMATS: Mapping[str, Callable[[Chosen], str]] = {"sqlstring": _sql_string}
