"""The `fleettwin` command: wires the rest together and turns errors into one clear line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module

import typer

from models.errors import ConfigurationError, FleettwinError

COMMANDS: Mapping[str, str] = {
    "demo": "cli.demo.command:demo",
    "verify": "cli.verify:verify",
    "db": "cli.db:app",
    "dashboards": "cli.dashboards:app",
    "stack": "cli.stack:app",
    "twin": "cli.workers:twin",
    "store": "cli.workers:store",
    "simulate": "cli.simulate:simulate",
    "publish": "cli.publish.command:publish",
    "topics": "cli.topics:app",
    "record": "cli.record:record",
    "replay": "cli.replay.command:replay",
    "log": "cli.log.command:app",
    "traces": "cli.traces.command:app",
    "alerts": "cli.alerts.command:app",
    "dlq": "cli.dlq.command:app",
    "schema": "cli.schema:schema",
}
"""Each command, in the order of the help, and what it is: a function, or an app with commands of its own.

Only the one that is asked for is imported: all of them together take longer to import than some take to run.
"""


def application(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command with these commands below it."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)
    app.callback()(_fleettwin)
    for name in names:
        module, _, what = COMMANDS[name].partition(":")
        found = getattr(import_module(module), what)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _fleettwin() -> None:
    """Keep the name of a command that stands alone: typer would leave it out."""


def run() -> None:
    """Run the command; 2 is the user's mistake, 1 the world's."""
    asked = sys.argv[1:2]
    try:
        application(asked if set(asked) & set(COMMANDS) else COMMANDS)()
    except ConfigurationError as error:
        sys.stderr.write(f"fleettwin: {error}\n")
        sys.exit(2)
    except FleettwinError as error:
        sys.stderr.write(f"fleettwin: {error}\n")
        sys.exit(1)
