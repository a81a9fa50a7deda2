"""The `fleettwin` command: wires the rest together and turns errors into one clear line and an exit code."""

from __future__ import annotations

import sys

import typer

from cli import dashboards, db, record, schema, simulate, stack, topics, traces, workers
from cli import verify as verifying
from cli.alerts import command as alerts
from cli.demo.command import demo
from cli.dlq import command as dlq
from cli.replay.command import replay
from models.errors import ConfigurationError, FleettwinError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)
app.command()(demo)
app.command()(verifying.verify)
app.add_typer(db.app, name="db")
app.add_typer(dashboards.app, name="dashboards")
app.add_typer(stack.app, name="stack")
app.command()(workers.twin)
app.command()(workers.store)
app.command()(simulate.simulate)
app.add_typer(topics.app, name="topics")
app.command()(record.record)
app.command()(replay)
app.add_typer(traces.app, name="traces")
app.add_typer(alerts.app, name="alerts")
app.add_typer(dlq.app, name="dlq")
app.command()(schema.schema)


def run() -> None:
    """Run the command; 2 is the user's mistake, 1 the world's."""
    try:
        app()
    except ConfigurationError as error:
        sys.stderr.write(f"fleettwin: {error}\n")
        sys.exit(2)
    except FleettwinError as error:
        sys.stderr.write(f"fleettwin: {error}\n")
        sys.exit(1)
