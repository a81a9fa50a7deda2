"""What the user sees while servers are downloaded: a moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Tell = Callable[[str, str], None]
"""Called with a title and what happens to it now; `done` is the last word."""


@contextmanager
def shown() -> Iterator[Tell]:
    """Show on standard error what the block tells."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.fields[title]}: {task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks = {}

        def tell(title: str, step: str) -> None:
            if title not in tasks:
                tasks[title] = progress.add_task(step, total=1, title=title)
            progress.update(tasks[title], description=step, completed=1 if step == "done" else 0)

        yield tell


def _lines() -> Tell:
    begun: dict[str, float] = {}

    def tell(title: str, step: str) -> None:
        now = time.monotonic()
        if title not in begun:
            begun[title] = now
            sys.stderr.write(f"{title}: downloading\n")
        if step == "done":
            sys.stderr.write(f"{title}: ready after {now - begun[title]:.0f} s\n")
        sys.stderr.flush()

    return tell
