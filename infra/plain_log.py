"""How programs that run for long tell what happens: one line an event on stderr."""

from __future__ import annotations

import logging
import sys

import structlog


def log_plainly() -> None:
    """One line an event on stderr: time, level, what happened, and its values; below it the traceback of an error.

    Without the variables of its frames, which structlog would add: they hold tokens and passwords, and to write down
    what a worker knows takes it up to a minute.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
