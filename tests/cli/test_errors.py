"""What a mistake costs whoever makes it: one line that names the thing, an exit code, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from infra.recordlog import LogHeader, LogWriter
from models.record import Record
from models.topics import TELEMETRY

ROOT = Path(__file__).parents[2]
NOBODY = "127.0.0.1:1"
"""An address at which nothing listens."""

NO_DATABASE = f"postgresql://someone:secret@{NOBODY}/fleet"
SECONDS = 20

USER, WORLD = 2, 1
"""Exit codes: whose fault it is."""

COMMANDS = (
    (),
    ("demo",),
    ("verify",),
    ("twin",),
    ("store",),
    ("simulate",),
    ("publish",),
    ("record",),
    ("replay",),
    ("alerts",),
    ("alerts", "forward"),
    ("dlq",),
    ("dlq", "list"),
    ("dlq", "show"),
    ("dlq", "replay"),
    ("log",),
    ("log", "inspect"),
    ("log", "verify"),
    ("log", "cut"),
    ("log", "merge"),
    ("log", "convert"),
    ("db",),
    ("db", "migrate"),
    ("db", "status"),
    ("stack",),
    ("stack", "up"),
    ("stack", "down"),
    ("stack", "status"),
    ("stack", "logs"),
    ("stack", "reset"),
    ("topics",),
    ("topics", "create"),
    ("topics", "list"),
    ("topics", "delete"),
    ("traces",),
    ("traces", "list"),
    ("traces", "list", "mlperf"),
    ("traces", "convert"),
    ("traces", "convert", "mlperf"),
    ("traces", "convert", "alibaba"),
    ("traces", "convert", "helios"),
    ("traces", "download"),
)

SCENARIO = """
title: "One site"
seed: 1
sites:
  memphis:
    supply_mw: 3
    pue: 1.1
    pools:
      - {type: h100-sxm, nodes: 1}
"""


def fleettwin(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command where no embedded stack is, with these settings and no others."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLEETTWIN_")}
    environment |= {"FLEETTWIN_STACK__HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=folder,
        env=environment | settings,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def assert_that_it_ends(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    """With this code, saying all of this, in one line of its own and without a traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("fleettwin: "), done.stderr
    for part in said:
        assert part in last, done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = fleettwin(tmp_path, *command, "--help")

    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS", "many", "a valid integer", id="no-number"),
        pytest.param("FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS", "0", "greater than or equal to 1", id="too-small"),
        pytest.param("FLEETTWIN_TWIN__CLOCK", "sun", "'wall' or 'log'", id="unknown-choice"),
        pytest.param("FLEETTWIN_KAFKA__TOPIC_PREFIX", "Ä", "match pattern", id="bad-name"),
        pytest.param("FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS", "kafka", "host:port[,host:port]", id="no-port"),
        pytest.param("FLEETTWIN_KAFKA__BOOTSTRAP_SERVER", "kafka:9092", "no such variable", id="unknown-name"),
        pytest.param("FLEETTWIN_X", "1", "no such variable", id="unknown-part"),
        pytest.param("FLEETTWIN_CONFIG", "none.toml", "the path of a readable TOML file", id="no-file"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_was_expected(
    tmp_path: Path, name: str, value: str, expected: str
) -> None:
    done = fleettwin(tmp_path, "topics", "list", **{name: value})

    assert_that_it_ends(done, USER, name, repr(value), expected)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://someone:secret@host/fleet", id="another-protocol"),
        pytest.param("postgresql://someone:secret@word@host/fleet", id="unencoded-password"),
        pytest.param("postgresql://someone:secret@host:port/fleet", id="port-in-words"),
    ],
)
def test_a_wrong_database_address_is_told_without_its_password(tmp_path: Path, url: str) -> None:
    done = fleettwin(tmp_path, "db", "status", FLEETTWIN_DATABASE__URL=url)

    assert_that_it_ends(done, USER, "FLEETTWIN_DATABASE__URL", "postgresql://user:password@host:port/database")
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("simulate", "--scenario", "nowhere"), ("'nowhere'", "demo"), id="unknown-scenario"),
        pytest.param(("demo", "--headless", "--scenario", "nowhere"), ("'nowhere'", "demo"), id="unknown-in-demo"),
        pytest.param(("simulate", "--speed", "fast"), ("--speed", "'fast'", "a number above 0"), id="speed"),
        pytest.param(("demo", "--headless", "--speed", "fast"), ("--speed", "'fast'"), id="speed-in-demo"),
        pytest.param(("simulate", "--clock", "wall", "--speed", "2"), ("--clock", "'wall'", "log"), id="wall-at-speed"),
        pytest.param(
            ("simulate", "--clock", "log", "--start", "today"), ("--start", "'today'", "ISO 8601"), id="start"
        ),
        pytest.param(
            ("simulate", "--clock", "log", "--start", "2026-01-01T00:00:00"),
            ("--start", "an offset from UTC"),
            id="start-without-offset",
        ),
        pytest.param(
            ("simulate", "--clock", "wall", "--start", "2026-01-01T00:00:00Z"),
            ("--start", "--clock is log"),
            id="start-on-the-wall",
        ),
        pytest.param(("replay", "none.log"), ("'none.log'", "No such file"), id="no-log"),
        pytest.param(("replay", "none.log", "--to", "offline"), ("'none.log'", "No such file"), id="no-log-offline"),
        pytest.param(
            ("replay", "note.txt", "--to", "offline"), ("'note.txt'", "another kind of file"), id="no-log-file"
        ),
        pytest.param(("log", "inspect", "note.txt"), ("'note.txt'", "another kind of file"), id="no-log-to-inspect"),
        pytest.param(("log", "verify", "none.log"), ("'none.log'", "No such file"), id="no-log-to-verify"),
        pytest.param(("log", "cut", "a.log", "--out", "b.log", "--from", "90s"), ("--from", "'90s'", "+90s"), id="cut"),
        pytest.param(
            ("log", "convert", "note.txt", "--out", "new.log"), ("--out", "'new.log'", ".parquet"), id="convert"
        ),
        pytest.param(("record", "--out", "new.log", "--topics", "all"), ("--topics", "'all'", "ledger"), id="topic"),
        pytest.param(("traces", "list", "mlperf", "."), ("'.'", "node_power.csv.gz"), id="no-trace"),
        pytest.param(
            ("traces", "convert", "alibaba", "--nodes", "note.txt", "--pods", "note.txt", "--out", "new.log"),
            ("note.txt: line 1", "a column sn"),
            id="no-nodes",
        ),
        pytest.param(("stack", "logs", "--name", "My stack"), ("--name", "'My stack'", "lower-case"), id="stack-name"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value_and_what_was_expected(
    tmp_path: Path, arguments: tuple[str, ...], said: tuple[str, ...]
) -> None:
    (tmp_path / "note.txt").write_text("not a log, though long enough to hold the beginning of one\n")

    done = fleettwin(
        tmp_path, *arguments, FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS=NOBODY, FLEETTWIN_DATABASE__URL=NO_DATABASE
    )

    assert_that_it_ends(done, USER, *said)


def test_an_unknown_clock_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    done = fleettwin(tmp_path, "simulate", "--clock", "sun")

    assert done.returncode == USER
    assert "Traceback" not in done.stderr
    for part in ("--clock", "'sun'", "'wall'", "'log'"):
        assert part in done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        pytest.param("supply_mw: 3", "supply_mw: -3", ("sites.memphis.supply_mw", "-3", "greater than"), id="value"),
        pytest.param("type: h100-sxm", "type: h1000", ("sites.memphis.pools.0.type", "'h1000'", "h100-sxm"), id="type"),
        pytest.param("seed: 1", "seed: 1\nseed: 2", ("line 4", "'seed' is there twice"), id="twice"),
        pytest.param("seed: 1", "seeds: 1", ("seed", "required"), id="misspelt"),
        pytest.param("pools:", "pools: [", ("line",), id="no-yaml"),
    ],
)
def test_a_broken_scenario_is_named_by_file_path_and_value(
    tmp_path: Path, right: str, wrong: str, said: tuple[str, ...]
) -> None:
    (tmp_path / "broken.yaml").write_text(SCENARIO.replace(right, wrong))

    done = fleettwin(tmp_path, "simulate", "--scenario", "broken.yaml")

    assert_that_it_ends(done, USER, "broken.yaml", *said)


@pytest.mark.parametrize(
    "arguments",
    [("twin",), ("simulate",), ("verify",), ("replay", "whole.log", "--to", "offline"), ("demo", "--headless")],
    ids=" ".join,
)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("none.yaml", ("FLEETTWIN_TWIN__CATALOGUE", "'none.yaml'", "readable YAML"), id="no-file"),
        pytest.param("own.yaml", ("own.yaml: x9.per_node", "'many'", "valid integer"), id="wrong-entry"),
    ],
)
def test_a_wrong_catalogue_is_told_before_anything_is_done(
    tmp_path: Path, arguments: tuple[str, ...], name: str, said: tuple[str, ...]
) -> None:
    watts = "{bf16_tflops: 1, idle_watts: 1, typical_watts: 2, max_watts: 3, vendor: A, name: X9, per_node: many}"
    (tmp_path / "own.yaml").write_text(f"x9: {watts}\n")
    with LogWriter(tmp_path / "whole.log", LogHeader(created_by="test")):
        pass

    done = fleettwin(
        tmp_path,
        *arguments,
        FLEETTWIN_TWIN__CATALOGUE=name,
        FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS=NOBODY,
        FLEETTWIN_DATABASE__URL=NO_DATABASE,
    )

    assert_that_it_ends(done, USER, *said)


@pytest.mark.parametrize(
    "arguments",
    [
        ("twin",),
        ("store",),
        ("simulate",),
        ("verify",),
        ("alerts",),
        ("alerts", "--open"),
        ("alerts", "--group", "mine"),
        ("alerts", "forward", "--to", "http://localhost:1"),
        ("topics", "create"),
        ("topics", "delete", "--yes"),
        ("record", "--out", "new.log"),
        ("demo", "--headless"),
    ],
    ids=" ".join,
)
def test_no_kafka_at_the_address_is_told_with_the_address(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = fleettwin(
        tmp_path, *arguments, FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS=NOBODY, FLEETTWIN_DATABASE__URL=NO_DATABASE
    )

    assert_that_it_ends(done, WORLD, f"Kafka at {NOBODY}", "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS")


@pytest.mark.parametrize("command", ["migrate", "status"])
def test_no_database_at_the_address_is_told_with_the_address_and_without_its_password(
    tmp_path: Path, command: str
) -> None:
    done = fleettwin(tmp_path, "db", command, FLEETTWIN_DATABASE__URL=NO_DATABASE)

    assert_that_it_ends(done, WORLD, f"PostgreSQL {NOBODY}/fleet", "refused")
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (("topics", "list"), "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS"),
        (("twin",), "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS"),
        (("db", "status"), "FLEETTWIN_DATABASE__URL"),
    ],
    ids=["topics", "twin", "db"],
)
def test_where_no_server_is_named_and_none_runs_the_ways_out_are_told(
    tmp_path: Path, arguments: tuple[str, ...], variable: str
) -> None:
    done = fleettwin(tmp_path, *arguments)

    assert_that_it_ends(done, WORLD, "fleettwin stack up", variable, "infra/compose.yaml")


def test_the_demo_wants_both_servers_named_or_neither(tmp_path: Path) -> None:
    done = fleettwin(tmp_path, "demo", "--headless", FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS=NOBODY)

    assert_that_it_ends(done, USER, "FLEETTWIN_DATABASE__URL", "name neither")


@pytest.mark.parametrize("kept", [pytest.param(0.5, id="half"), pytest.param(0.98, id="all-but-the-end")])
def test_a_log_that_is_cut_off_is_not_folded_in_part(tmp_path: Path, kept: float) -> None:
    whole, cut = tmp_path / "whole.log", tmp_path / "cut.log"
    with LogWriter(whole, LogHeader(created_by="test"), block_bytes=2000) as log:
        for offset in range(200):
            log.append(Record(TELEMETRY, 0, offset, 0, b"memphis", os.urandom(40)))
    content = whole.read_bytes()
    cut.write_bytes(content[: int(len(content) * kept)])

    done = fleettwin(tmp_path, "replay", "cut.log", "--to", "offline")

    assert_that_it_ends(done, WORLD, "cut.log")
    assert done.stdout == ""


@pytest.mark.servers
@pytest.mark.parametrize(
    "arguments",
    [
        ("twin",),
        ("store",),
        ("simulate", "--seconds", "1"),
        ("alerts",),
        ("alerts", "--open"),
        ("alerts", "--group", "g"),
    ],
    ids=["twin", "store", "simulate", "alerts", "alerts-open", "alerts-group"],
)
def test_topics_that_are_missing_are_named_with_the_command_that_makes_them(
    stack: RunningStack, kafka_prefix: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = fleettwin(
        tmp_path,
        *arguments,
        FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS=stack.kafka,
        FLEETTWIN_KAFKA__TOPIC_PREFIX=kafka_prefix,
        FLEETTWIN_DATABASE__URL=stack.database_url,
    )

    assert_that_it_ends(done, USER, f"{kafka_prefix}fleet.", "fleettwin topics create")
