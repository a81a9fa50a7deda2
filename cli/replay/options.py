"""Options of a replay: times, and which go together."""

from __future__ import annotations

from pathlib import Path

from cli.times import instant_said, length_said
from models.errors import ConfigurationError
from streams.logs.parts import LogPart, Span, first_sent_at

_EXPECTED = "a time such as 2026-01-01T00:00:00Z, or how long after the log's first record: +90s, +15m, +2h, +1d"


def part_of(log: Path, since: str | None, until: str | None) -> LogPart:
    """The part of a log that `--from` and `--until` ask for.

    Raises:
        ConfigurationError: one is no time, or the second is not after the first; or the file is no log.
        LogDamaged: its header cannot be read.
    """
    begun = first_sent_at(log) if any(text is not None and text.startswith("+") for text in (since, until)) else None
    span = Span(_instant("--from", since, begun), _instant("--until", until, begun))
    if span.since is not None and span.until is not None and span.until <= span.since:
        raise ConfigurationError("--until", until, f"a time after --from, {since}")
    return LogPart(log, span)


def refuse(expected: str, **given: object) -> None:
    """Refuse the first option that is given and has no meaning here.

    Args:
        expected: What would be right instead.
        given: Options by their names, with `_` for `-`; none, false and empty ones are not given.

    Raises:
        ConfigurationError: one is given.
    """
    for name, value in given.items():
        if value:
            raise ConfigurationError(f"--{name.replace('_', '-')}", "given" if value is True else str(value), expected)


def _instant(option: str, text: str | None, begun: int | None) -> int | None:
    if text is None:
        return None
    after = length_said(text[1:]) if text.startswith("+") else None
    return instant_said(option, text, _EXPECTED) if after is None else (begun or 0) + after
