"""`fleettwin alerts`: what is short, line by line, or as it is now."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from rich.console import Console

from cli.alerts.forward import forward
from cli.alerts.options import (
    NameOption,
    ResourceOption,
    ScopeOption,
    SeverityOption,
    instant_of_option,
    wanted_of,
)
from cli.alerts.showing import line, open_table
from cli.signals import stop_wished
from infra.settings import read_settings
from models.errors import ConfigurationError, RecordRefused
from models.shortage import Severity, Shortage
from models.wording import printable
from streams.consumers.alertmanager import alert_of
from streams.consumers.alerts import read_alerts, read_open
from streams.consumers.choosing import Wanted
from streams.consumers.group_alerts import read_group
from streams.consumers.group_reading import from_instant, from_the_first, group_reading

app = typer.Typer()
app.command()(forward)

_WIDE = 10_000
"""Columns of what is no terminal: nothing is cut."""


@app.callback(invoke_without_command=True)
def alerts(  # noqa: PLR0913  # each is an option
    context: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one event a line.")] = False,
    as_alerts: Annotated[
        bool, typer.Option("--alertmanager", help="For webhooks: one alert a line, in Alertmanager's fields.")
    ] = False,
    scope: ScopeOption = None,
    name: NameOption = None,
    severity: SeverityOption = Severity.INFO,
    resource: ResourceOption = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Only what Kafka has taken in since: a time with offset, or 15m, 2h, 3d ago."),
    ] = None,
    only_open: Annotated[bool, typer.Option("--open", help="What is open now, the oldest first.")] = False,
    group: Annotated[
        str | None,
        typer.Option("--group", help="As a consumer group: go on after what it was told; a new one begins at --since."),
    ] = None,
) -> None:
    """Print the shortage events, oldest first: time, severity, change, scope, what binds, how much is missing."""
    if context.invoked_subcommand is not None:
        _refuse_options_before(context, context.invoked_subcommand)
        return
    if as_json and as_alerts:
        raise ConfigurationError("--alertmanager", "together with --json", "one form or the other")
    told = _alert if as_alerts else _event if as_json else line
    wanted = wanted_of(scope, name, severity, resource)
    instant = None if since is None else instant_of_option(since)
    with quiet_when_nobody_reads():
        if only_open:
            for option, given in {"--follow": follow, "--since": since, "--group": group}.items():
                if given:
                    raise ConfigurationError("--open", f"together with {option}", "one or the other: it is about now")
            _print_open(wanted, None if told is line else told)
        else:
            _print_events(wanted, told, instant, group, follow=follow)


def _print_events(
    wanted: Wanted, told: Callable[[Shortage], str], since: int | None, group: str | None, *, follow: bool
) -> None:
    settings = read_settings()
    with stop_wished() as wished:
        if group is None:
            found = read_alerts(settings, _tell, wanted, since=since, follow=follow, stopped=wished.is_set)
            for shortage in found:
                typer.echo(told(shortage))
            return
        begin = from_the_first if since is None else from_instant(since)
        with group_reading(settings, group, begin, wished.is_set) as reading:
            for shortage in read_group(reading, _tell, wanted, follow=follow, stopped=wished.is_set):
                typer.echo(told(shortage))


def _print_open(wanted: Wanted, told: Callable[[Shortage], str] | None) -> None:
    """As lines for programs, or else as a table."""
    found = read_open(read_settings(), _tell, wanted)
    if told is not None:
        for shortage in found:
            typer.echo(told(shortage))
    elif found:
        console = Console(width=None if sys.stdout.isatty() else _WIDE)
        with console.capture() as drawn:
            console.print(open_table(found, datetime.now(UTC)))
        for row in drawn.get().splitlines():
            typer.echo(row.rstrip())
    else:
        typer.echo("nothing is short")


def _event(shortage: Shortage) -> str:
    return shortage.model_dump_json()


def _alert(shortage: Shortage) -> str:
    return orjson.dumps(alert_of(shortage)).decode()


def _tell(refusal: RecordRefused) -> None:
    typer.echo(f"fleettwin: passed over: {printable(str(refusal))}", err=True)


def _refuse_options_before(context: typer.Context, command: str) -> None:
    """They would be read here and change nothing there."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise ConfigurationError(parameter.opts[0], f"before {command}", f"it behind: {command} has its own")


@contextmanager
def quiet_when_nobody_reads() -> Iterator[None]:
    """A reader that has had enough, such as `head`, is no error."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What Python still holds for stdout is written at exit, and would be told of then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
