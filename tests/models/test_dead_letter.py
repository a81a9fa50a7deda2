"""Dead letters: what is refused can be read back with its reason, whatever others put on the topic."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.dead_letter import DeadLetter, listed_rows, read_letter, refused_record, refused_record_of, refused_rows
from models.edge import RowRefusal
from models.errors import RecordRefused
from models.record import Headers, Outgoing, Record

REFUSED = Record("fleet.telemetry.v1", 9, 334, 1_800_000_000_000, b"memphis", b"frame", (("ce_type", b"any"),))


def stored(letter: Outgoing, *without: str, **changed: bytes) -> Record:
    """The letter as it lies on its topic, its headers changed; `__` stands for what their names begin with."""
    names = {name.replace("__", "__streams.errors.", 1): value for name, value in changed.items()}
    headers: Headers = tuple((name, names.get(name, value)) for name, value in letter.headers if name not in without)
    return Record(letter.topic, 0, 7, 1_800_000_000_500, letter.key, letter.value, headers)


def test_a_letter_says_which_record_was_refused_and_why() -> None:
    found = read_letter(stored(refused_record(REFUSED, RecordRefused("undecodable", "not Arrow"))))

    assert found == DeadLetter(
        topic="fleet.telemetry.v1.dlq",
        partition=0,
        offset=7,
        at=1_800_000_000_500,
        code="undecodable",
        detail="not Arrow",
        source_topic="fleet.telemetry.v1",
        source_partition=9,
        source_offset=334,
        key="memphis",
        rows=1,
        bytes=5,
    )


@pytest.mark.parametrize("count", [1, 500, 501, 4000])
def test_all_refused_rows_are_counted_however_many_are_listed(count: int) -> None:
    refusals = [RowRefusal(row, "out_of_range", "power_watts is -43.0") for row in range(count)]

    found = read_letter(stored(refused_rows(REFUSED, refusals)))

    assert (found.code, found.rows) == ("out_of_range", count)


def test_texts_are_cut_and_have_nothing_in_them_that_a_database_refuses() -> None:
    record = Record(REFUSED.topic, 0, 0, 0, b"\xff\0" * 1000, None)

    found = read_letter(stored(refused_record(record, RecordRefused("a\0b", "x" * 10_000))))

    assert (found.key, found.code, found.bytes) == ("\ufffd\ufffd" * 128, "a\ufffdb", 0)
    assert len(found.detail) == 4000


def test_a_record_without_a_key_is_a_letter_without_one() -> None:
    record = Record(REFUSED.topic, 0, 0, 0, None, b"{}")

    assert read_letter(stored(refused_record(record, RecordRefused("empty", "no")))).key is None


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"__offset": b"-1"}, id="negative"),
        pytest.param({"__offset": b"9" * 19}, id="too-large"),
        pytest.param({"__offset": "\u0663".encode()}, id="digits-of-another-script"),
        pytest.param({"__partition": b""}, id="empty"),
        pytest.param({"fleettwin_refused": b"many"}, id="a-word-for-a-number"),
    ],
)
def test_a_letter_that_is_none_is_refused(broken: dict[str, bytes]) -> None:
    letter = refused_rows(REFUSED, [RowRefusal(0, "code", "detail")])

    with pytest.raises(RecordRefused, match="a dead letter whose header"):
        read_letter(stored(letter, **broken))
    with pytest.raises(RecordRefused, match="without the header __streams"):
        read_letter(stored(letter, "__streams.errors.exception"))


@pytest.mark.parametrize("timestamp", [-1, 10**17, 2**63 - 1])
def test_a_letter_of_a_time_that_no_calendar_has_is_refused(timestamp: int) -> None:
    letter = replace(stored(refused_record(REFUSED, RecordRefused("empty", "no"))), timestamp=timestamp)

    with pytest.raises(RecordRefused, match="of the time"):
        read_letter(letter)


@pytest.mark.parametrize("listed", [b"", b"{", b"[1]", b'[{"row": "x", "code": 1}]', b"\xff"])
def test_a_list_of_rows_that_is_none_is_refused(listed: bytes) -> None:
    letter = stored(refused_rows(REFUSED, [RowRefusal(0, "code", "detail")]), fleettwin_rows=listed)

    with pytest.raises(RecordRefused, match="fleettwin_rows"):
        listed_rows(letter)


def test_what_the_refused_record_says_by_the_same_names_is_not_meant() -> None:
    hostile = (("fleettwin_refused", b"many"), ("fleettwin_rows", b"{"), ("__streams.errors.exception", b"none"))
    refused = replace(REFUSED, headers=hostile)
    letter = stored(refused_record(refused, RecordRefused("undecodable", "not Arrow")))

    assert (read_letter(letter).code, read_letter(letter).rows, listed_rows(letter)) == ("undecodable", 1, ())
    assert refused_record_of(letter).headers == hostile
