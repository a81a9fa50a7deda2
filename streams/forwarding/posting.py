"""One post to a receiver, and what its answer means."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from models.wording import printable
from streams.forwarding.addresses import server_of

LONGEST_PAUSE_SECONDS = 3600.0
"""What a receiver may ask for at most, lest a wrong date silences it for ever."""

_PATIENT_STATUSES = (408, 425, 429)
"""Refusals that pass."""

_QUOTED = 300


class Unready(Exception):
    """The receiver does not take anything now; `pause` is how many seconds it asks for."""

    def __init__(self, why: str, pause: float = 0.0) -> None:
        self.pause = pause
        super().__init__(why)


class Refused(Exception):
    """The receiver will never take this."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where to post; the address may hold a secret, `shown` does not."""

    client: httpx.Client
    url: str
    headers: Callable[[], Mapping[str, str]]

    @property
    def shown(self) -> str:
        """The server alone."""
        return server_of(self.url)

    def post(self, body: Any, identity: str | None = None) -> None:
        """Post once; returns once the receiver has taken it.

        Args:
            body: What becomes JSON.
            identity: The same for the same post, whenever it is repeated.

        Raises:
            Unready: try again later.
            Refused: do not.
        """
        named = {"Idempotency-Key": quote(identity)} if identity is not None else {}
        headers = {"Content-Type": "application/json", **self.headers(), **named}
        try:
            with self.client.stream("POST", self.url, content=orjson.dumps(body), headers=headers) as answer:
                if answer.is_success:
                    return
                said = f"{answer.status_code} {printable(answer.reason_phrase)}: {_beginning(answer)}".rstrip(": ")
        except httpx.TransportError as error:
            raise Unready(_named(error)) from None
        if answer.is_server_error or answer.status_code in _PATIENT_STATUSES:
            raise Unready(said, pause_of(answer.headers.get("Retry-After"), time.time()))
        raise Refused(said)


def pause_of(stated: str | None, now: float) -> float:
    """Seconds that a `Retry-After` asks for, in either of its forms: a number, or a date."""
    if stated is None:
        return 0.0
    if stated.strip().isdecimal():
        return min(float(stated), LONGEST_PAUSE_SECONDS)
    try:
        return min(max(parsedate_to_datetime(stated).timestamp() - now, 0.0), LONGEST_PAUSE_SECONDS)
    except ValueError:
        return 0.0


def _beginning(answer: httpx.Response) -> str:
    """The first words of an answer's body; what cannot be read any more is nothing."""
    try:
        some = next(answer.iter_bytes(_QUOTED), b"")
    except httpx.HTTPError:
        return ""
    return printable(" ".join(some[:_QUOTED].decode(errors="replace").split()))


def _named(error: httpx.TransportError) -> str:
    """What went wrong; some of these have no words."""
    words = str(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
