"""Fetching a trace's files: what stands under a name is right to the byte, and nothing is fetched twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from models.errors import Unavailable
from streams.traces.fetching import Fetching
from streams.traces.manifest import Pinned
from tests.file_server import FileServer, serving

CONTENT = bytes(range(256)) * 1000
PATH = "some folder/nodes.csv"
NOBODY = "http://127.0.0.1:1/"
"""An address at which nothing listens."""


def pinned(content: bytes = CONTENT, *, first: bool = False) -> Pinned:
    said = {"path": "csv/nodes.csv", "from": PATH, "size": len(content), "first": first}
    return Pinned.model_validate({**said, "sha256": hashlib.sha256(content).hexdigest()})


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(FileServer({PATH: CONTENT})) as server:
        yield server


@pytest.fixture
def fetching(server: FileServer, tmp_path: Path) -> Iterator[Fetching]:
    with httpx.Client(timeout=10) as client:
        yield Fetching(client, server.url, tmp_path, lambda count: None)


def begin(fetching: Fetching, content: bytes) -> Path:
    """What an earlier try left behind."""
    part = fetching.folder / "csv" / "nodes.csv.part"
    part.parent.mkdir()
    part.write_bytes(content)
    return part


def standing(fetching: Fetching) -> dict[str, bytes]:
    """All files below the folder."""
    found = (path for path in fetching.folder.rglob("*") if path.is_file())
    return {str(path.relative_to(fetching.folder)): path.read_bytes() for path in found}


def test_a_file_is_fetched_from_its_place_into_its_own(fetching: Fetching, server: FileServer) -> None:
    assert fetching.fetch(pinned())

    assert standing(fetching) == {"csv/nodes.csv": CONTENT}
    assert server.asked == [(PATH, None)]


def test_what_comes_in_is_told_byte_for_byte(fetching: Fetching) -> None:
    told: list[int] = []
    begin(fetching, CONTENT[:1000])

    replace(fetching, tell=told.append).fetch(pinned())

    assert sum(told) == len(CONTENT)


def test_what_is_there_and_right_is_not_asked_for(fetching: Fetching, server: FileServer) -> None:
    fetching.fetch(pinned())
    server.asked.clear()

    assert not fetching.fetch(pinned())
    assert server.asked == []


@pytest.mark.parametrize("there", [CONTENT[:-1], CONTENT[:-1] + b"x", b""], ids=["short", "other", "empty"])
def test_what_is_there_and_wrong_is_fetched_anew(fetching: Fetching, there: bytes) -> None:
    target = begin(fetching, b"").with_name("nodes.csv")
    target.write_bytes(there)

    assert fetching.fetch(pinned())
    assert standing(fetching) == {"csv/nodes.csv": CONTENT}


def test_what_was_begun_goes_on_where_it_ended(fetching: Fetching, server: FileServer) -> None:
    begin(fetching, CONTENT[:1000])

    assert fetching.fetch(pinned())
    assert standing(fetching) == {"csv/nodes.csv": CONTENT}
    assert server.asked == [(PATH, f"bytes=1000-{len(CONTENT) - 1}")]


def test_what_was_begun_begins_again_where_the_server_knows_no_ranges(fetching: Fetching, server: FileServer) -> None:
    server.ranges = False
    begin(fetching, CONTENT[:1000])

    assert fetching.fetch(pinned())
    assert standing(fetching) == {"csv/nodes.csv": CONTENT}


def test_what_was_whole_but_for_its_name_is_not_asked_for(fetching: Fetching, server: FileServer) -> None:
    begin(fetching, CONTENT)

    assert fetching.fetch(pinned())
    assert (standing(fetching), server.asked) == ({"csv/nodes.csv": CONTENT}, [])


def test_what_was_begun_and_is_longer_than_the_file_is_thrown_away(fetching: Fetching, server: FileServer) -> None:
    begin(fetching, CONTENT + b"x")

    assert fetching.fetch(pinned())
    assert server.asked == [(PATH, None)]


def test_what_was_begun_with_something_else_is_found_out_and_the_next_try_is_right(fetching: Fetching) -> None:
    begin(fetching, b"x" * 1000)

    with pytest.raises(Unavailable, match="SHA-256"):
        fetching.fetch(pinned())
    assert standing(fetching) == {}
    assert fetching.fetch(pinned())
    assert standing(fetching) == {"csv/nodes.csv": CONTENT}


@pytest.mark.parametrize("ranges", [True, False])
def test_of_a_file_that_goes_on_the_first_bytes_are_taken(
    fetching: Fetching, server: FileServer, *, ranges: bool
) -> None:
    server.ranges = ranges

    assert fetching.fetch(pinned(CONTENT[:777], first=True))
    assert standing(fetching) == {"csv/nodes.csv": CONTENT[:777]}
    assert server.asked == [(PATH, "bytes=0-776")]


def test_the_first_bytes_go_on_too(fetching: Fetching, server: FileServer) -> None:
    begin(fetching, CONTENT[:500])

    assert fetching.fetch(pinned(CONTENT[:777], first=True))
    assert (standing(fetching), server.asked) == ({"csv/nodes.csv": CONTENT[:777]}, [(PATH, "bytes=500-776")])


def test_another_file_of_that_size_is_told_with_both_checksums_and_not_kept(
    fetching: Fetching, server: FileServer
) -> None:
    server.files[PATH] = other = CONTENT[::-1]

    with pytest.raises(Unavailable) as caught:
        fetching.fetch(pinned())

    assert hashlib.sha256(other).hexdigest() in str(caught.value)
    assert pinned().sha256 in str(caught.value)
    assert "some%20folder/nodes.csv" in caught.value.what
    assert standing(fetching) == {}


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x"], ids=["shorter", "longer"])
def test_a_file_of_another_size_is_told_before_it_is_fetched(
    fetching: Fetching, server: FileServer, content: bytes
) -> None:
    server.files[PATH] = content

    with pytest.raises(Unavailable, match=f"{len(content)} bytes where {len(CONTENT)}"):
        fetching.fetch(pinned())
    assert standing(fetching) == {}


def test_a_file_that_is_shorter_than_what_was_begun_is_told(fetching: Fetching, server: FileServer) -> None:
    server.files[PATH] = CONTENT[:500]
    begin(fetching, CONTENT[:1000])

    with pytest.raises(Unavailable, match=f"/500 where {len(CONTENT)}"):
        fetching.fetch(pinned())
    assert standing(fetching) == {}


@pytest.mark.parametrize("says_length", [True, False])
def test_what_a_server_sent_before_it_died_is_kept_and_goes_on(
    fetching: Fetching, server: FileServer, *, says_length: bool
) -> None:
    server.breaks_after, server.says_length = 3000, says_length

    with pytest.raises(Unavailable, match=rf"3000 of {len(CONTENT)} bytes are in .*nodes\.csv\.part.*goes on"):
        fetching.fetch(pinned())
    assert standing(fetching) == {"csv/nodes.csv.part": CONTENT[:3000]}

    server.breaks_after = None
    assert fetching.fetch(pinned())
    assert standing(fetching) == {"csv/nodes.csv": CONTENT}
    assert server.asked[-1] == (PATH, f"bytes=3000-{len(CONTENT) - 1}")


def test_a_server_that_falls_silent_is_given_up(fetching: Fetching, server: FileServer) -> None:
    server.breaks_after, server.hangs = 3000, True
    fetching.client.timeout = httpx.Timeout(0.2)

    with pytest.raises(Unavailable, match=r"ReadTimeout.*3000 of"):
        fetching.fetch(pinned())


def test_a_file_that_is_not_there_is_told_with_its_address(fetching: Fetching, server: FileServer) -> None:
    server.files.clear()

    with pytest.raises(Unavailable, match="404 Not Found") as caught:
        fetching.fetch(pinned())
    assert caught.value.what == f"{server.url}some%20folder/nodes.csv"
    assert standing(fetching) == {}


def test_a_server_that_is_not_there_is_told_without_the_password_for_it(fetching: Fetching) -> None:
    with pytest.raises(Unavailable, match=r"ConnectError.*Look whether there is a network") as caught:
        replace(fetching, base=NOBODY.replace("//", "//me:secret@")).fetch(pinned())
    assert caught.value.what == f"{NOBODY}some%20folder/nodes.csv"
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_filled_is_named(fetching: Fetching) -> None:
    (fetching.folder / "csv").write_text("a file")

    with pytest.raises(Unavailable, match=r"csv/nodes\.csv: (File exists|Not a directory)"):
        fetching.fetch(pinned())
