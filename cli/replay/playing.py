"""A log to Kafka, steered by whoever sits there."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass

import typer
from rich.console import Console

from cli.replay.keys import HINT, KeyDesk, is_ours, keys_at_once
from cli.replay.lines import LineDesk
from cli.replay.status import StatusLine
from cli.signals import stop_wished
from infra.settings import Settings
from models.errors import ConfigurationError
from streams.logs.parts import LogPart
from streams.logs.replaying import Desk, Replayed, Unattended, send_log

STDIN = 0


@dataclass(frozen=True, slots=True)
class Steered:
    """How a replay begins, and by what it is steered."""

    speed: float | None
    by_lines: bool
    """Of stdin, instead of keys."""
    paused: bool


def play(settings: Settings, part: LogPart, steered: Steered) -> tuple[Replayed, bool]:
    """Send the part; says also whether a signal ended it.

    Raises:
        ConfigurationError: it is to begin paused, and nobody could go on; and as `send_log`.
        LogDamaged, Unavailable: as `send_log`.
    """
    keys = not steered.by_lines and is_ours(STDIN)
    if steered.paused and not (keys or steered.by_lines):
        raise ConfigurationError("--paused", "given where no terminal is", "--step, which follows lines on stdin")
    with stop_wished() as wished, ExitStack() as stack:
        desk: Desk
        if steered.by_lines:
            desk = LineDesk(STDIN, wished, _tell)
        elif keys:
            stack.enter_context(keys_at_once(STDIN))
            desk = KeyDesk(STDIN, wished)
        else:
            desk = Unattended(wished)
        if sys.stderr.isatty() and not steered.by_lines:
            desk = stack.enter_context(StatusLine(desk, Console(stderr=True), HINT if keys else "Ctrl-C ends it"))
        replayed = send_log(settings, part, steered.speed, desk, paused=steered.paused, tell=_tell)
        return replayed, wished.is_set()


def _tell(line: str) -> None:
    typer.echo(line, err=True)
