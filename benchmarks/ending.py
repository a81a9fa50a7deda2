"""How a measurement ends that cannot be made: with a line that says why."""

from __future__ import annotations

import sys
from collections.abc import Callable

from models.errors import FleettwinError


def ended(main: Callable[[], None], name: str) -> None:
    """Run it; whatever a server or a setting is in the way ends the program with one line, under this name."""
    try:
        main()
    except FleettwinError as error:
        sys.exit(f"{name}: {error}")
