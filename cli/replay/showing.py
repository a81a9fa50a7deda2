"""What a replay says when it has ended."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from streams.logs.parts import LogPart, told
from streams.logs.replaying import Replayed


def sent(replayed: Replayed, seconds: float) -> dict[str, Any]:
    """What was sent, for programs."""
    left, records = replayed.go_on_from, replayed.sent.total()
    return {
        **replayed.sent,
        "words_before": replayed.words_before,
        "records": records,
        "records_per_second": round(records / seconds),
        "interrupted": left is not None,
        "go_on_from": None if left is None else told(left),
        "seconds": round(seconds, 3),
    }


def table(summary: Mapping[str, Any]) -> str:
    """A line for each figure; of lists how long they are, and nothing of what is not there."""
    rows: list[tuple[str, object]] = []
    for name, value in summary.items():
        if isinstance(value, dict):
            rows += [(f"{name} {part}", content) for part, content in value.items()]
        elif value is not None:
            rows.append((name, len(value) if isinstance(value, list) else value))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.replace('_', ' '):<{width}}  {value}" for name, value in rows)


def way_on(part: LogPart, left: int, prefix: str | None, *, into_live: bool) -> str:
    """The command that sends the rest.

    Args:
        part: What was to be sent.
        left: From when on something is left.
        prefix: Of the topics, where that is not the settings' own.
        into_live: Whether it was wished to send into topics of a live fleet.
    """
    until = [] if part.span.until is None else ["--until", told(part.span.until)]
    command = ["fleettwin", "replay", str(part.path), "--from", told(left), *until, *["--into-live"] * into_live]
    setting = "" if prefix is None else f"FLEETTWIN_KAFKA__TOPIC_PREFIX={prefix} "
    return f"ended before the log did; the rest: {setting}{shlex.join(command)}"
