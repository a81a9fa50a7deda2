"""`fleettwin log`: what it says, what it makes, and what it leaves alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from cli.log.command import app
from cli.log.options import moment_of_option
from infra.embedded.process import await_condition
from infra.recordlog import LogHeader
from models.errors import ConfigurationError, Unavailable
from models.record import Record
from models.topics import SITES, TELEMETRY
from streams.logs.cutting import Moment
from tests.golden_logs import RECORDS, VERSION_1, VERSION_2
from tests.log_builders import cut_off, header_of, placed_in, read, written

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20.0


def log(*arguments: str | Path) -> str:
    """What the command says on standard output; its errors are raised."""
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def process(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """The command as a process of its own, with pipes."""
    return subprocess.Popen(
        # where the tests run in the background, Ctrl-C is ignored by all that a shell starts, unless it is told not to
        ["env", "--default-signal=INT", sys.executable, "-m", "cli", "log", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A log of whose 60 records the later ones are gone."""
    return cut_off(tmp_path / "broken.log", written(tmp_path / "whole.log", placed_in({TELEMETRY: 2}, 60)))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T00:00:00Z", Moment(1_767_225_600_000)),
        ("2026-01-01T01:00:00.250+01:00", Moment(1_767_225_600_250)),
        ("+90s", Moment(90_000, after_beginning=True)),
        ("+250ms", Moment(250, after_beginning=True)),
        ("+15m", Moment(900_000, after_beginning=True)),
        ("+2h", Moment(7_200_000, after_beginning=True)),
        ("+1d", Moment(86_400_000, after_beginning=True)),
    ],
)
def test_a_time_is_an_instant_or_so_long_after_the_beginning(text: str, moment: Moment) -> None:
    assert moment_of_option("--from", text) == moment


@pytest.mark.parametrize("text", ["", "now", "90s", "+90", "+1.5s", "+s", "2026-01-01T00:00:00"])
def test_any_other_time_is_told_with_what_was_expected(text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--until is '{text}'; expected".replace("+", "[+]")):
        moment_of_option("--until", text)


def test_inspect_shows_header_times_and_partitions() -> None:
    said = log("inspect", VERSION_2)

    assert "golden-v2.log: version 2, 1,466 bytes, whole" in said
    assert "made by     fleettwin 0.1.0 record" in said
    assert "sent        2025-12-31T23:59:55.000Z to 2026-01-01T00:00:02.000Z, 7.0 s" in said
    assert f"{TELEMETRY} 2" in said
    assert "rules       tick 1000, grace 500" in said
    assert [line.split()[:5] for line in said.splitlines() if line.startswith(TELEMETRY)] == [
        [TELEMETRY, "all", "6", "502"],
        [TELEMETRY, "unsent", "1", "19", "0"],
        [TELEMETRY, "0", "3", "292", "10"],
        [TELEMETRY, "1", "2", "191", "7"],
    ]


def test_inspect_says_the_same_to_programs(broken: Path) -> None:
    said = orjson.loads(log("inspect", VERSION_1, "--json"))
    assert (said["version"], said["records"], said["damage"]) == (1, 10, None)
    assert said["topics"][SITES]["partitions"]["0"]["latest"] == RECORDS[0].timestamp

    said = orjson.loads(log("inspect", broken, "--json"))
    assert 0 < said["records"] < 60
    assert said["damage"]["block"] > 1


def test_inspect_shows_where_a_log_is_damaged(broken: Path) -> None:
    said = log("inspect", broken)

    assert "bytes, DAMAGED\n  damage      damaged in block" in said
    assert "the file ends" in said


def test_what_a_log_says_of_itself_moves_no_cursor(tmp_path: Path) -> None:
    header = LogHeader(created_by="me\x1b[2J", partitions={"a\nb": 1}, rules={"\x1b]0;": "x"})
    said = log("inspect", written(tmp_path / "log", [Record("\x1b[H", 0, 0, 0, None, None)], header))

    assert "\x1b" not in said
    assert "me\\x1b[2J" in said


def test_verify_says_what_it_checked_of_each_log() -> None:
    said = log("verify", VERSION_1, VERSION_2)

    assert "golden-v1.log: whole and in order; 10 records in 6 blocks" in said
    assert "no index, which version 1 has not" in said
    assert "golden-v2.log: whole and in order" in said
    assert "the index against the blocks" in said
    assert "offsets grow in each of 4 partitions" in said


def test_verify_ends_with_1_and_the_damage_and_looks_at_all_logs(broken: Path) -> None:
    done = CliRunner().invoke(app, ["verify", str(broken), str(VERSION_2)])

    assert done.exit_code == 1
    assert "broken.log: damaged in block" in done.stdout
    assert "records before it are good" in done.stdout
    assert "golden-v2.log: whole" in done.stdout


def test_verify_ends_with_1_where_offsets_do_not_grow(tmp_path: Path) -> None:
    path = written(tmp_path / "log", [*placed_in({TELEMETRY: 12}, 24), *placed_in({TELEMETRY: 12}, 24)])
    done = CliRunner().invoke(app, ["verify", str(path)])

    assert done.exit_code == 1
    assert "whole, and not in order" in done.stdout
    assert f"{TELEMETRY}/0: offset 0 after 1" in done.stdout
    assert "and 2 more partitions" in done.stdout


def test_cut_says_what_it_kept(tmp_path: Path) -> None:
    out = tmp_path / "part.log"
    said = log("cut", VERSION_2, "--out", out, "--from", "+5900ms", "--until", "+6500ms", "--with-facts")

    assert read(out) == [record for place, record in enumerate(RECORDS) if place in (0, 3, 4, 5, 6)]
    assert f"{SITES:<20} {1:>10} records" in said
    assert f"{out}: 5 records, 2 of them from before --from, {out.stat().st_size} bytes" in said
    assert header_of(out).created_by.endswith(" log cut")


def test_cut_takes_topics_and_sites_by_name(tmp_path: Path) -> None:
    out = tmp_path / "part.log"
    log("cut", VERSION_2, "--out", out, "--topics", "telemetry, sites", "--sites", "memphis,abilene")

    assert read(out) == [RECORDS[place] for place in (0, 1, 3, 4, 5, 9)]
    with pytest.raises(ConfigurationError, match="--topics is 'telemetri'; expected one of"):
        log("cut", VERSION_2, "--out", tmp_path / "other.log", "--topics", "telemetri")


def test_merge_says_how_many_repeats_it_dropped(tmp_path: Path) -> None:
    log("cut", VERSION_2, "--out", tmp_path / "part.log", "--topics", "demand")
    said = log("merge", tmp_path / "part.log", VERSION_1, "--out", tmp_path / "all.log")

    assert "all.log: 10 records, 3 repeats dropped, " in said


def test_convert_says_how_many_records(tmp_path: Path) -> None:
    assert "a.parquet: 10 records, " in log("convert", VERSION_2, "--out", tmp_path / "a.parquet")
    assert "a.log: 10 records, " in log("convert", tmp_path / "a.parquet", "--out", tmp_path / "a.log")


@pytest.mark.parametrize(
    ("command", "out"),
    [
        pytest.param(("cut",), "out.log", id="cut"),
        pytest.param(("merge",), "out.log", id="merge"),
        pytest.param(("convert",), "out.jsonl", id="to-lines"),
        pytest.param(("convert",), "out.parquet", id="to-parquet"),
    ],
)
def test_nothing_is_written_over_and_a_damaged_log_is_taken_only_where_that_is_wished(
    tmp_path: Path, broken: Path, command: tuple[str, ...], out: str
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    arguments = (*command, str(broken), "--out", str(folder / out))

    with pytest.raises(Unavailable, match=r"damaged in block .* --up-to-damage takes what stands before it"):
        log(*arguments)
    assert list(folder.iterdir()) == []

    done = CliRunner().invoke(app, [*arguments, "--up-to-damage"])
    assert done.exit_code == 0
    assert "taken up to the damage" in done.stderr
    assert [path.name for path in folder.iterdir()] == [out]

    content = (folder / out).read_bytes()
    with pytest.raises(ConfigurationError, match="not there yet"):
        log(*arguments, "--up-to-damage")
    assert (folder / out).read_bytes() == content


def test_a_log_and_its_lines_go_through_pipes(tmp_path: Path) -> None:
    lines, told = process(tmp_path, "convert", "-", "--out", "-").communicate(VERSION_2.read_bytes())
    assert told == b""
    _, told = process(tmp_path, "convert", "-", "--out", "back.log").communicate(lines)
    assert told == b""

    assert tuple(read(tmp_path / "back.log")) == RECORDS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def test_an_interruption_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    content = VERSION_2.read_bytes()
    child = process(tmp_path, "cut", "-", "--out", "part.log")
    assert child.stdin is not None
    child.stdin.write(content[: len(content) // 2])
    child.stdin.flush()
    assert await_condition(lambda: list(tmp_path.glob(".part.log.*/part.log")) != [], PATIENCE_SECONDS)
    child.send_signal(number)
    child.communicate()

    assert child.returncode == 130
    assert list(tmp_path.iterdir()) == []
