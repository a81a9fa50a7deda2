"""Writing a trace's log: it stands under its name whole, with what belongs beside it, or nothing does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from infra.recordlog import LogReader
from models.errors import ConfigurationError
from models.record import Record
from models.topics import TELEMETRY
from streams.traces.trace import Beside, Conversion
from streams.traces.writing import write_log
from twin.rules import Rules

RECORDS = [Record(TELEMETRY, -1, -1, at, b"site", b"value", ()) for at in range(3)]
BESIDE = Beside("FLEETTWIN_TWIN__CATALOGUE", ".catalogue.yaml", "entries: {}\n")


def conversion(records: Iterator[Record] | None = None, *beside: Beside) -> Conversion:
    return Conversion({"run": "1"}, iter(RECORDS) if records is None else records, lambda: "3 records", beside=beside)


def interrupted(error: BaseException) -> Iterator[Record]:
    yield RECORDS[0]
    raise error


def test_the_log_has_all_records_and_says_what_it_is_and_for_which_rules(tmp_path: Path) -> None:
    written = write_log("test", conversion(), tmp_path / "a.log", "a test")

    with LogReader(tmp_path / "a.log") as log:
        assert list(log) == RECORDS
        assert log.header.created_by == "a test"
        assert log.header.rules == {"trace": "test", "run": "1", **asdict(Rules())}
    assert (written.records, written.bytes) == (3, (tmp_path / "a.log").stat().st_size)
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_what_belongs_beside_it_is_called_as_the_log_or_as_was_asked(tmp_path: Path) -> None:
    elsewhere = Beside("FLEETTWIN_X", "", "more", tmp_path / "more.yaml")

    written = write_log("test", conversion(None, BESIDE, elsewhere), tmp_path / "a.log", "a test")

    assert written.beside == {
        "FLEETTWIN_TWIN__CATALOGUE": tmp_path / "a.log.catalogue.yaml",
        "FLEETTWIN_X": tmp_path / "more.yaml",
    }
    assert [path.read_text() for path in written.beside.values()] == ["entries: {}\n", "more"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError(), ConfigurationError("x", "y", "z")], ids=repr)
def test_nothing_is_left_behind_by_what_does_not_come_to_its_end(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        write_log("test", conversion(interrupted(error), BESIDE), tmp_path / "a.log", "a test")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["a.log", "a.log.catalogue.yaml"])
def test_what_is_there_is_left_alone(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")

    with pytest.raises(ConfigurationError, match=rf"{there}'; expected a file that is not there yet"):
        write_log("test", conversion(None, BESIDE), tmp_path / "a.log", "a test")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "mine")]


def test_a_place_where_no_file_can_be_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none/a\.log'; expected one that can be made \(No such file"):
        write_log("test", conversion(), tmp_path / "none" / "a.log", "a test")
    elsewhere = Beside("FLEETTWIN_X", "", "more", tmp_path / "none" / "more.yaml")
    with pytest.raises(ConfigurationError, match=r"none/more\.yaml'; expected one that can be made \(No such file"):
        write_log("test", conversion(None, BESIDE, elsewhere), tmp_path / "a.log", "a test")

    assert list(tmp_path.iterdir()) == []
