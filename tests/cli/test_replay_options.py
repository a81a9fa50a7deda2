"""Options of `fleettwin replay`: what goes together, which times there are, and the verdict as an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.main import application
from cli.replay.options import part_of
from models.errors import ConfigurationError
from streams.logs.parts import Span
from tests.builders import T0, clock, demand, facts, frame, numbered, row
from tests.log_builders import write_log

TOPICS = ("fleet.telemetry.v1", "fleet.sites.v1", "fleet.demand.v1")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten seconds of one site, with demand that it cannot serve."""
    records = [facts(at=T0), demand(at=T0, wanted=99)]
    for second in range(10):
        at = T0 + second * 1000
        records += [frame([row("a", at, power_watts=1000.0, allocated=0)], timestamp=at)]
        records += [clock(at + 500, topic) for topic in TOPICS]
    return write_log(tmp_path / "ten.log", numbered(records), dict.fromkeys(TOPICS, 1))


def replay(*arguments: str | Path, **settings: str) -> Result:
    return CliRunner().invoke(
        application(), ["replay", *map(str, arguments)], env={**settings, "FLEETTWIN_STACK__HOME": "/none"}
    )


@pytest.mark.parametrize(
    ("since", "until", "span"),
    [
        pytest.param(None, None, Span(), id="all"),
        pytest.param("+0s", "+90s", Span(T0, T0 + 90_000), id="seconds"),
        pytest.param("+15m", None, Span(T0 + 900_000), id="minutes"),
        pytest.param("+2h", "+1d", Span(T0 + 7_200_000, T0 + 86_400_000), id="hours-and-days"),
        pytest.param("2027-01-15T08:00:01Z", None, Span(T0 + 1000), id="utc"),
        pytest.param("2027-01-15T10:00:01.5+02:00", None, Span(T0 + 1500), id="elsewhere"),
    ],
)
def test_times_are_those_of_a_calendar_or_count_from_the_first_record(
    log: Path, since: str | None, until: str | None, span: Span
) -> None:
    assert part_of(log, since, until).span == span


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--from", "noon"], ("--from is 'noon'", "+90s"), id="no-time"),
        pytest.param(["--from", "90s"], ("--from is '90s'",), id="ago-makes-no-sense"),
        pytest.param(["--until", "2027-01-15T08:00:01"], ("--until", "an offset"), id="no-offset"),
        pytest.param(["--from", "+5s", "--until", "+5s"], ("--until is '+5s'", "after --from"), id="nothing-between"),
        pytest.param(
            ["--from", "+1h"], ("the part", "2027-01-15T08:00:00.000Z to 2027-01-15T08:00:09.500Z"), id="behind"
        ),
        pytest.param(["--to", "offline", "--step"], ("--step", "--to kafka"), id="step-offline"),
        pytest.param(["--to", "offline", "--paused"], ("--paused", "--to kafka"), id="paused-offline"),
        pytest.param(["--to", "offline", "--isolated", "a"], ("--isolated", "--to kafka"), id="isolated-offline"),
        pytest.param(["--to", "offline", "--expect", "no.json"], ("--expect", "No such file"), id="no-golden-result"),
        pytest.param(["--expect", "no.json"], ("--expect", "--to offline"), id="expect-to-kafka"),
        pytest.param(["--write-expected", "no.json"], ("--write-expected", "--to offline"), id="write-to-kafka"),
        pytest.param(["--again"], ("--again", "--isolated NAME"), id="again-without-a-name"),
        pytest.param(["--drop"], ("--drop", "--isolated NAME"), id="drop-without-a-name"),
        pytest.param(["--drop", "--isolated", "a"], ("LOG", "none with --drop"), id="drop-of-a-log"),
        pytest.param(["--isolated", "a", "--into-live"], ("--into-live", "not both"), id="isolated-into-live"),
        pytest.param(["--isolated", "A_b"], ("--isolated is 'A_b'", "a-z"), id="a-name-that-no-topic-may-have"),
        pytest.param(["--speed", "fast"], ("--speed", "a number above 0"), id="speed"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(log: Path, options: list[str], said: tuple[str, ...]) -> None:
    result = replay(log, *options, FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")

    assert isinstance(result.exception, ConfigurationError)
    for part in said:
        assert part in str(result.exception)


def test_without_a_log_it_is_asked_for() -> None:
    assert "LOG is 'not said'" in str(replay().exception)


def golden(log: Path, **settings: str) -> Path:
    path = log.with_name("golden.json")
    assert replay(log, "--to", "offline", "--write-expected", path, **settings).exit_code == 0
    return path


def test_a_log_equals_what_it_came_to_before(log: Path) -> None:
    result = replay(log, "--to", "offline", "--expect", golden(log))

    assert (result.exit_code, result.exception) == (0, None)
    assert "equal to" in result.stdout


def test_what_json_prints_is_a_golden_result(log: Path, tmp_path: Path) -> None:
    printed = tmp_path / "printed.json"
    printed.write_text(replay(log, "--to", "offline", "--json").stdout)

    verdict: dict[str, Any] = orjson.loads(replay(log, "--to", "offline", "--expect", printed, "--json").stdout)

    assert (verdict["equal"], verdict["first_difference"], verdict["not_compared"]) == (True, None, [])


def test_other_rules_are_told_before_the_first_difference(log: Path) -> None:
    result = replay(log, "--to", "offline", "--expect", golden(log), FLEETTWIN_TWIN__OPEN_AFTER_MILLISECONDS="7000")

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].endswith("was made under other rules: open_after was 5000 and is 7000")
    assert "not equal to" in lines[1]
    assert lines[2].startswith("first: shortages[0], opened, fleet, accelerators, at 2027-01-15T08:00:06Z: at is")


def test_shortages_alone_are_compared_alone(log: Path) -> None:
    path = golden(log)
    path.write_bytes(orjson.dumps({"shortages": orjson.loads(path.read_bytes())["shortages"]}))

    verdict = orjson.loads(
        replay(
            log, "--to", "offline", "--expect", path, "--json", FLEETTWIN_TWIN__OPEN_AFTER_MILLISECONDS="7000"
        ).stdout
    )

    assert verdict["compared"] == ["shortages"]
    assert verdict["first_difference"]["path"] == "shortages[0].at"


def test_a_part_is_compared_with_the_same_part(log: Path) -> None:
    part = ("--to", "offline", "--from", "+2s", "--until", "+9s")
    path = log.with_name("part.json")
    assert replay(log, *part, "--write-expected", path).exit_code == 0

    assert replay(log, *part, "--expect", path).exit_code == 0
    other = replay(log, "--to", "offline", "--expect", path)
    assert other.exit_code == 1
    assert "of another part of the log: from was 2027-01-15T08:00:02.000Z and is the beginning" in other.stdout
