"""One answer of an exporter: not redirected, not larger than it may be, unpacked no further than that."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from models.wording import printable
from streams.publish.addresses import shown

ACCEPTED = {
    "Accept": "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5, */*;q=0.1",
    "Accept-Encoding": "gzip",
}

_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Answer:
    """What an exporter said."""

    text: str
    content_type: str


class Unanswered(Exception):
    """There is no answer that could be read."""


async def fetched(client: httpx.AsyncClient, url: str, headers: Mapping[str, str], largest: int) -> Answer:
    """Ask once.

    Args:
        client: One that follows no redirects.
        url: What to ask.
        headers: Beside those that say what is understood.
        largest: Bytes that an answer may have, unpacked.

    Raises:
        Unanswered: says why.
    """
    try:
        async with client.stream("GET", url, headers={**ACCEPTED, **headers}) as answer:
            _check(answer)
            body = await _bounded(answer, largest)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unanswered(printable(f"{type(error).__name__}: {error}".rstrip(": "))) from None
    try:
        return Answer(body.decode(), answer.headers.get("Content-Type", "").strip().lower())
    except UnicodeDecodeError:
        raise Unanswered("its answer is not UTF-8") from None


def _check(answer: httpx.Response) -> None:
    if answer.has_redirect_location:
        elsewhere = printable(shown(answer.headers["Location"]))[:200]
        raise Unanswered(f"it sends to {elsewhere}, which is not followed")
    if answer.status_code != httpx.codes.OK:
        raise Unanswered(f"{answer.status_code} {printable(answer.reason_phrase)}".rstrip())
    if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise Unanswered("it answers with a page for browsers, not with metrics")


async def _bounded(answer: httpx.Response, largest: int) -> bytes:
    coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", ""):
        raise Unanswered(f"its answer is encoded as {printable(coding)[:40]!r}, which it was not asked for")
    unpacking = zlib.decompressobj(_GZIP) if coding == "gzip" else None
    body = bytearray()
    try:
        async for chunk in answer.aiter_raw():
            body += chunk if unpacking is None else unpacking.decompress(chunk, largest + 1 - len(body))
            if len(body) > largest:
                raise Unanswered(f"its answer is larger than {largest} bytes")
    except zlib.error as error:
        raise Unanswered(f"its answer cannot be unpacked: {error}") from None
    if unpacking is not None and not unpacking.eof:
        raise Unanswered("its answer ends before its end")
    return bytes(body)
