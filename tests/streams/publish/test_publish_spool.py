"""The spool: what is written stays in its order until Kafka has it, and only the bound takes it away."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import Unavailable
from streams.publish.parcels import Parcel
from streams.publish.spool import Dropped, Fill, Spool, opened_spool
from tests.publish_fakes import parcel

PLENTY = 2**20
SIZE = 64 + len("memphis") + 2 + len("ce_id") + 2
"""Of a record whose value has two bytes."""


def values(spool: Spool, most: int = PLENTY, without: tuple[str, ...] = ()) -> list[bytes]:
    """What would be sent now."""
    lent = spool.lend(most, without)
    spool.returned([])
    return [one.parcel.value for one in lent]


def test_records_come_out_as_they_went_in(tmp_path: Path) -> None:
    some = [parcel(b"1"), Parcel("fleet.events.v1", b"\xff\x00", b"\x00" * 9, (("a", b"b"), ("a", b"c")), 0)]
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        spool.write(some, b"[]")

        assert [one.parcel for one in spool.lend(PLENTY)] == some


def test_what_is_returned_as_done_is_gone_and_the_rest_stays(tmp_path: Path) -> None:
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        spool.write([parcel(b"%02d" % number) for number in range(4)], b"[]")
        lent = spool.lend(PLENTY)
        spool.returned([lent[0], lent[2]])

        assert values(spool) == [b"01", b"03"]
        assert spool.fill == Fill(2, 2 * SIZE)


def test_what_waits_survives_the_process(tmp_path: Path) -> None:
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        spool.write([parcel(b"01"), parcel(b"02")], b"[1]")
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        spool.write([parcel(b"03")], b"[2]")

        assert spool.fill == Fill(3, 3 * SIZE)
        assert values(spool) == [b"01", b"02", b"03"]
        assert spool.conditions() == b"[2]"


def test_a_new_spool_knows_of_no_conditions(tmp_path: Path) -> None:
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        assert spool.conditions() is None


@pytest.mark.parametrize(
    ("room", "dropped", "left"),
    [
        pytest.param(4 * SIZE, Dropped(0, 0), [b"00", b"01", b"02", b"03"], id="exactly-full"),
        pytest.param(4 * SIZE - 1, Dropped(1, 1), [b"01", b"02", b"03"], id="a-byte-too-many"),
        pytest.param(SIZE, Dropped(3, 3), [b"03"], id="room-for-one"),
        pytest.param(SIZE - 1, Dropped(4, 4), [], id="room-for-none"),
    ],
)
def test_the_oldest_go_first_where_there_is_no_room(
    tmp_path: Path, room: int, dropped: Dropped, left: list[bytes]
) -> None:
    with opened_spool(tmp_path / "spool.db", room) as spool:
        gone = [spool.write([parcel(b"%02d" % number)], b"[]") for number in range(4)]

        assert Dropped(sum(one.records for one in gone), sum(one.readings for one in gone)) == dropped
        assert values(spool) == left
        assert spool.fill == Fill(len(left), len(left) * SIZE)


def test_what_is_on_its_way_is_not_dropped(tmp_path: Path) -> None:
    with opened_spool(tmp_path / "spool.db", 2 * SIZE) as spool:
        spool.write([parcel(b"00"), parcel(b"01")], b"[]")
        lent = spool.lend(SIZE)
        dropped = spool.write([parcel(b"02"), parcel(b"03")], b"[]")
        spool.returned(lent)

        assert [one.parcel.value for one in lent] == [b"00"]
        assert dropped == Dropped(2, 2)
        assert values(spool) == [b"03"]


def test_a_topic_can_be_passed_over(tmp_path: Path) -> None:
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        spool.write([parcel(b"01", "a"), parcel(b"02", "b"), parcel(b"03", "a")], b"[]")

        assert values(spool, without=("a",)) == [b"02"]
        assert values(spool, without=("a", "b")) == []


def test_a_window_holds_at_least_one_record(tmp_path: Path) -> None:
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        spool.write([parcel(b"01"), parcel(b"02"), parcel(b"03")], b"[]")

        assert [len(values(spool, most)) for most in (1, SIZE, 2 * SIZE, 2 * SIZE + 1)] == [1, 1, 2, 2]


def test_whoever_waits_for_a_record_is_woken_by_it(tmp_path: Path) -> None:
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        waiting = Thread(target=spool.await_records, args=(60,))
        waiting.start()
        spool.write([parcel()], b"[]")
        waiting.join(30)

        assert not waiting.is_alive()


def test_whoever_waits_is_woken_by_the_end(tmp_path: Path) -> None:
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        waiting = Thread(target=spool.await_records, args=(60,))
        waiting.start()
        spool.close()
        waiting.join(30)

        assert not waiting.is_alive()


def test_a_write_that_fails_changes_nothing(tmp_path: Path) -> None:
    with opened_spool(tmp_path / "spool.db", PLENTY) as spool:
        spool.write([parcel(b"01")], b"[1]")
        with sqlite3.connect(tmp_path / "spool.db") as full:
            full.execute("CREATE TRIGGER full BEFORE INSERT ON kept BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        full.close()
        with pytest.raises(sqlite3.Error, match="disk full"):
            spool.write([parcel(b"02")], b"[2]")

        assert (spool.fill, values(spool), spool.conditions()) == (Fill(1, SIZE), [b"01"], b"[1]")


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool.db").write_bytes(b"no database at all" * 100)

    with (
        pytest.raises(Unavailable, match=r"spool .*spool\.db: file is not a database"),
        opened_spool(tmp_path / "spool.db", PLENTY),
    ):
        pass


STEPS = st.lists(st.integers(1, 5).map(lambda count: ("write", count)) | st.just(("ship", 0)), max_size=15)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, room=st.integers(3, 12))
def test_records_leave_in_order_each_once_or_are_counted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], room: int
) -> None:
    written, shipped, dropped = 0, [], 0
    with opened_spool(tmp_path_factory.mktemp("spool") / "spool.db", room * SIZE) as spool:
        for what, count in [*steps, ("ship", 0), ("ship", 0), ("ship", 0), ("ship", 0)]:
            if what == "write":
                some = [parcel(b"%02d" % (written + number)) for number in range(count)]
                written += count
                dropped += spool.write(some, b"[]").records
            else:
                lent = spool.lend(3 * SIZE)
                spool.returned(lent)
                shipped += [int(one.parcel.value) for one in lent]

        assert spool.fill.records == 0
    assert shipped == sorted(set(shipped))
    assert len(shipped) + dropped == written
