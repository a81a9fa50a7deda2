"""Runs a Faust app in this process until it is told to stop, on uvloop."""

from __future__ import annotations

import io
import logging
import sys
from typing import Any

import structlog
import uvloop


def run_app(app: Any) -> None:
    """Run until SIGTERM or Ctrl-C; then let it store its checkpoints and leave the group.

    Raises:
        SystemExit: with the worker's exit code.
    """
    log_plainly()
    uvloop.install()
    nowhere = io.StringIO()  # Faust draws a spinner on whatever it takes for stdout
    app.Worker(loglevel="WARNING", redirect_stdouts=False, stdout=nowhere).execute_from_commandline()


def log_plainly() -> None:
    """One line an event on stderr: time, level, what happened, and its values."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
