"""Fetching the files of a manifest: what stands under a file's name is right to the byte.

A file grows under a name of its own that ends in `.part`. What is there already, whether whole or begun, is not fetched
again; it is known to be right by its checksum in the end, wherever it came from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from models.errors import Unavailable
from models.wording import printable
from streams.traces.manifest import Pinned

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds of silence."""

Tell = Callable[[int], None]
"""Called with how many bytes have come in or were there already."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """A folder that is filled from an address."""

    client: httpx.Client
    base: str
    folder: Path
    tell: Tell

    def fetch(self, file: Pinned) -> bool:
        """Have a file in the folder; false if it was there, and was right.

        Raises:
            Unavailable: it could not be had, or is another one; with its address. What has come of it is kept if
                another try can go on from there, and never under its own name.
        """
        target = self.folder / file.path
        part = target.with_name(f"{target.name}.part")
        with _told_of_disk(target):
            if _size(target) == file.size and _checksum(target) == file.sha256:
                self.tell(file.size)
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            if _size(part) > file.size:
                part.unlink()
            if _size(part) < file.size:
                self._go_on(file, part)
            found = _checksum(part)
            if found != file.sha256:
                part.unlink()
                why = f"what came has the SHA-256 {found} where {file.sha256} is expected"
                raise Unavailable(self._shown(file), why, "It was not kept.")
            part.replace(target)
        return True

    def _go_on(self, file: Pinned, part: Path) -> None:
        begun = _size(part)
        wanted = {"Accept-Encoding": "identity"}
        if begun or file.first:
            wanted["Range"] = f"bytes={begun}-{file.size - 1}"
        try:
            with self.client.stream("GET", file.url(self.base), headers=wanted) as answer:
                self._take(answer, file, part, self._begins_at(answer, file, part))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            raise self._unfinished(file, part, why) from None
        if _size(part) < file.size:
            raise self._unfinished(file, part, "the server ended")

    def _begins_at(self, answer: httpx.Response, file: Pinned, part: Path) -> int:
        """The byte at which an answer begins; a server that knows no ranges sends the whole file."""
        begun = _size(part)
        length = answer.headers.get("Content-Length")
        match answer.status_code:
            case httpx.codes.PARTIAL_CONTENT if answer.headers.get("Content-Range", "").startswith(f"bytes {begun}-"):
                return begun
            case httpx.codes.OK if file.first or length in {None, str(file.size)}:
                return 0
            case httpx.codes.OK | httpx.codes.PARTIAL_CONTENT | httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)
                has = answer.headers.get("Content-Range") or f"{length} bytes"
                why = f"the server has {has} where {file.size} bytes are expected"
                raise Unavailable(self._shown(file), why, "Nothing was kept.")
            case status:
                why = f"the server answers {status} {printable(answer.reason_phrase)}".rstrip()
                raise Unavailable(self._shown(file), why, "Look whether the address is right, or try later.")

    def _take(self, answer: httpx.Response, file: Pinned, part: Path, begun: int) -> None:
        size = begun
        self.tell(begun)
        with part.open("ab" if begun else "wb") as kept:
            for chunk in answer.iter_raw():
                wanted = chunk[: file.size - size]
                kept.write(wanted)
                self.tell(len(wanted))
                size += len(wanted)
                if size == file.size:
                    break

    def _unfinished(self, file: Pinned, part: Path, why: str) -> Unavailable:
        kept = f"; {_size(part)} of {file.size} bytes are in {part}" if _size(part) else ""
        way_out = "Run it again: it goes on from there." if kept else "Look whether there is a network, and try again."
        return Unavailable(self._shown(file), f"{why}{kept}", way_out)

    def _shown(self, file: Pinned) -> str:
        """The address without a password that may be in it."""
        return str(httpx.URL(file.url(self.base)).copy_with(userinfo=b""))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _told_of_disk(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            str(target), str(error.strerror), "Make it writable, or room for it; then run it again."
        ) from None
