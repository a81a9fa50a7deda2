"""Options that the commands share: which letters."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from cli.alerts.options import instant_of_option
from models.errors import ConfigurationError
from models.topics import INPUTS, LEDGER
from streams.letters.finding import Wanted

TOPICS = {topic.split(".")[1]: topic for topic in (*INPUTS, LEDGER)}
"""Topics whose records may be refused, by their short names."""

TopicOption = Annotated[str | None, typer.Option("--topic", help=f"Only what was sent to {', '.join(TOPICS)}.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Only with this code, such as unknown_type.")]
SiteOption = Annotated[str | None, typer.Option("--site", help="Only of this site.")]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Only what was refused since: a time with offset, or 15m, 2h, 3d ago.")
]
PlacesArgument = Annotated[
    list[str] | None, typer.Argument(help="Records that were refused, as `dlq list` names them.", metavar="PLACE...")
]

_PLACE = re.compile(r"([^/]+)/([0-9]{1,10})/([0-9]{1,19})")


def wanted_of(
    topic: str | None, reason: str | None, site: str | None, since: str | None, places: list[str] | None = None
) -> Wanted:
    """What the options ask for.

    Raises:
        ConfigurationError: there is no such topic, time or place.
    """
    return Wanted(
        None if topic is None else _topic(topic),
        reason,
        site,
        None if since is None else instant_of_option(since),
        frozenset(map(_place, places)) if places else None,
    )


def _topic(name: str) -> str:
    found = TOPICS.get(name, name)
    if found not in TOPICS.values():
        raise ConfigurationError("--topic", name, f"one of {', '.join(TOPICS)}")
    return found


def _place(text: str) -> str:
    """With the topic's full name."""
    parts = _PLACE.fullmatch(text)
    topic = None if parts is None else TOPICS.get(parts[1], parts[1])
    if parts is None or topic not in TOPICS.values():
        raise ConfigurationError("PLACE", text, f"topic/partition/offset, the topic one of {', '.join(TOPICS)}")
    return f"{topic}/{int(parts[2])}/{int(parts[3])}"
