"""Files of golden results: what is one, what is none, and that none is overwritten that is something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.settings import Settings, TwinSettings
from models.errors import ConfigurationError
from models.topics import TELEMETRY
from streams.logs.parts import LogPart, Span
from streams.oracle.golden import PARTS, made_from, other_origins, read_golden, write_golden
from tests.log_builders import write_log

RESULT: dict[str, Any] = {
    "readings": {"observed": 1},
    "samples": {"site": 2},
    "dead_letters": 0,
    "energy_joules": {"memphis": 3},
    "shortages": [{"id": "a", "at": "2026-01-01T00:00:00Z"}],
    "state_hash": "abc",
}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", "not JSON", id="empty"),
        pytest.param("{", "not JSON", id="cut-off"),
        pytest.param("[]", "no object", id="a-list"),
        pytest.param("{}", "it holds none of shortages", id="nothing"),
        pytest.param('{"made_from": {}}', "it holds none of", id="nothing-to-compare"),
        pytest.param('{"seconds": 1.2}', "it holds none of", id="nothing-but-the-time-it-took"),
        pytest.param('{"shortage": []}', "shortage", id="a-part-that-there-is-not"),
        pytest.param('{"shortages": {}}', "shortages", id="shortages-that-are-no-list"),
        pytest.param('{"shortages": [1]}', "shortages.0", id="an-event-that-is-none"),
        pytest.param('{"dead_letters": 1.5}', "dead_letters", id="half-a-letter"),
        pytest.param('{"readings": {"observed": "many"}}', "readings.observed", id="a-count-in-words"),
        pytest.param('{"records": 7, "interrupted": false}', "records", id="what-a-replay-to-kafka-says"),
    ],
)
def test_what_is_no_golden_result_is_refused_with_the_reason(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "golden.json"
    path.write_text(content)

    with pytest.raises(ConfigurationError) as refused:
        read_golden(path)

    assert refused.value.setting == "--expect"
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_golden(tmp_path / "none.json")


def test_what_is_written_is_read_as_it_was_and_stands_line_by_line(tmp_path: Path) -> None:
    path, log = tmp_path / "golden.json", write_log(tmp_path / "made.log", [])
    origin = made_from(Settings(), LogPart(log, Span(0, 10_000)))

    write_golden(path, {**RESULT, "seconds": 3}, origin)

    golden = read_golden(path)
    assert golden.parts() == RESULT
    assert list(golden.parts()) == list(PARTS)
    assert list(other_origins(golden.made_from, origin)) == []
    assert '      "from": "1970-01-01T00:00:00.000Z",\n      "until": "1970-01-01T00:00:10.000Z"\n' in path.read_text()
    assert path.read_text().endswith("\n}\n")
    assert "seconds" not in path.read_text()


def test_a_golden_result_is_written_anew_and_another_file_is_left_alone(tmp_path: Path) -> None:
    path, other = tmp_path / "golden.json", tmp_path / "notes.json"
    other.write_text('{"notes": 1}')
    write_golden(path, RESULT, {})
    write_golden(path, {**RESULT, "dead_letters": 5}, {})

    assert orjson.loads(path.read_bytes())["dead_letters"] == 5
    with pytest.raises(ConfigurationError, match="this is another file"):
        write_golden(other, RESULT, {})
    assert other.read_text() == '{"notes": 1}'


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        write_golden(tmp_path / "none" / "golden.json", RESULT, {})


def test_rules_logs_and_parts_are_told_apart(tmp_path: Path) -> None:
    one, other = write_log(tmp_path / "one.log", []), write_log(tmp_path / "other.log", [], {TELEMETRY: 4})
    then = made_from(Settings(), LogPart(one))
    now = made_from(Settings(twin=TwinSettings(open_after_milliseconds=9000)), LogPart(other, Span(5000)))
    path = tmp_path / "golden.json"
    write_golden(path, RESULT, then)

    assert [where for where, _ in other_origins(read_golden(path).made_from, now)] == [
        "made_from.rules.open_after",
        "made_from.log.from",
        "made_from.log.sha256",
    ]
