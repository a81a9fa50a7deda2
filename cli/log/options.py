"""Options that the commands share: times within a log, and what becomes of a damaged one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.signals import term_as_interrupt
from infra.recordlog import LogDamaged
from models.errors import ConfigurationError, Unavailable
from models.instants import instant_of
from streams.logs.cutting import Moment

LogArgument = Annotated[Path, typer.Argument(help="A record log; - is standard input.", metavar="LOG")]
LogsArgument = Annotated[list[Path], typer.Argument(help="Record logs.", metavar="LOG...")]
OutOption = Annotated[Path, typer.Option("--out", help="The file to make; it must not be there yet.")]
UpToDamageOption = Annotated[
    bool, typer.Option("--up-to-damage", help="Of a damaged log, take what stands before the damage.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: one object.")]

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_EXPECTED = "a time such as 2026-01-01T00:00:00Z, or so long after the log's beginning: +90s, +15m, +2h, +3d"


def moment_of_option(option: str, text: str | None) -> Moment | None:
    """The time that an option says; none where it is not given.

    Raises:
        ConfigurationError: it says none.
    """
    if text is None:
        return None
    after = re.fullmatch(r"\+([0-9]{1,9})(ms|[smhd])", text)
    if after is not None:
        return Moment(int(after[1]) * _UNITS[after[2]], after_beginning=True)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(option, text, _EXPECTED) from None
    if moment.tzinfo is None:
        raise ConfigurationError(option, text, "an offset from UTC, such as the Z in 2026-01-01T00:00:00Z")
    return Moment(instant_of(moment))


@contextmanager
def making() -> Iterator[None]:
    """While a file is made of logs: an interruption leaves nothing behind, and a damage is told with the way out.

    Raises:
        Unavailable: a log is damaged.
    """
    try:
        with term_as_interrupt():
            yield
    except LogDamaged as damage:
        why = f"damaged in block {damage.block}, which begins at byte {damage.offset}: {damage.why}"
        raise Unavailable(str(damage.path), why, "--up-to-damage takes what stands before it") from None


def told_damage(damage: LogDamaged | None) -> None:
    """Say where a log ended that was used up to there."""
    if damage is not None:
        typer.echo(f"fleettwin: taken up to the damage: {damage}", err=True)
