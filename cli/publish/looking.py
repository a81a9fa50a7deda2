"""`fleettwin publish --dry-run`: what would be sent, without Kafka and without a trace."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import typer
from rich.console import Console

from cli.publish.showing import json_list, other_lines, readings_table
from models.errors import Unavailable
from models.wording import printable
from streams.publish.asking import Asking, asked
from streams.publish.folding import Folding
from streams.publish.metrics import PublishMetrics
from streams.publish.planning import Plan
from streams.publish.publisher import Measuring
from streams.publish.registry import chosen_source
from streams.publish.sequences import Sequence, boot_after

_WIDE = 10_000
"""Columns of what is no terminal: nothing is cut."""


def look(plan: Plan, say: Callable[[str], None], *, as_json: bool) -> bool:
    """Measure once and print it; says whether there is any reading.

    Raises:
        ConfigurationError: the source refuses what it was told.
        Unavailable: its library is not installed.
    """
    folding = Folding(plan.options.catalogue, Sequence(boot_after(None, time.time())), plan.states)
    with asked(chosen_source(plan.source, plan.options), plan.options.timeout_seconds) as asking:
        _discover(asking, say)
        told = Measuring(asking, folding, PublishMetrics(plan.source)).told_once(time.sleep)
    for node, measures in told.missing.items():
        say(printable(f"missing: {node}: {', '.join(measures)}"))
    for failure in told.failures:
        say(printable(f"failed: {failure.endpoint}: {failure.why}"))
    if as_json:
        typer.echo(json_list(told))
    else:
        Console(width=None if sys.stdout.isatty() else _WIDE).print(readings_table(told))
        for line in other_lines(told):
            typer.echo(line)
    return bool(told.readings)


def _discover(asking: Asking, say: Callable[[str], None]) -> None:
    """Say what was found; what cannot be asked may still tell something, or says itself why not."""
    try:
        for component in asking.discover():
            say(
                printable(f"found {component.identity.node}: {component.installed} {component.type}, {component.about}")
            )
    except Unavailable as missing:
        say(printable(str(missing)))
