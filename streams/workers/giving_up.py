"""The end of a worker that must not go on."""

from __future__ import annotations

import os
from typing import NoReturn

import structlog

log = structlog.get_logger()


def give_up(event: str, exit_code: int = 1, **values: object) -> NoReturn:
    """End the process at once: what is not stored is folded again by whoever comes next."""
    log.critical(event, **values)
    os._exit(exit_code)
