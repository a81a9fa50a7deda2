"""Options that the commands share: times within a log, and what becomes of a damaged one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.signals import term_as_interrupt
from cli.times import UNITS, instant_said, length_said
from infra.recordlog import LogDamaged
from models.errors import Unavailable
from streams.logs.cutting import Moment

LogArgument = Annotated[Path, typer.Argument(help="A record log; - is standard input.", metavar="LOG")]
LogsArgument = Annotated[list[Path], typer.Argument(help="Record logs.", metavar="LOG...")]
OutOption = Annotated[Path, typer.Option("--out", help="The file to make; it must not be there yet.")]
UpToDamageOption = Annotated[
    bool, typer.Option("--up-to-damage", help="Of a damaged log, take what stands before the damage.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: one object.")]

_UNITS = {"ms": 1, **UNITS}
_EXPECTED = "a time such as 2026-01-01T00:00:00Z, or so long after the log's beginning: +90s, +15m, +2h, +3d"


def moment_of_option(option: str, text: str | None) -> Moment | None:
    """The time that an option says; none where it is not given.

    Raises:
        ConfigurationError: it says none.
    """
    if text is None:
        return None
    after = length_said(text[1:], _UNITS) if text.startswith("+") else None
    if after is not None:
        return Moment(after, after_beginning=True)
    return Moment(instant_said(option, text, _EXPECTED))


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
