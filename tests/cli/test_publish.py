"""`fleettwin publish` as people type it: what it prints, what it refuses, and the code with which it ends."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.main import application
from models.errors import ConfigurationError
from models.reading import Reading
from tests.live.world import fleettwin, outside_environment

NOBODY = "127.0.0.1:1"
SIMULATED = ("publish", "--source", "simulated", "--type", "h100-sxm")
HERE = ("--site", "memphis", "--node", "n1")


def typed(*arguments: str, **variables: str) -> Result:
    """The command in this process, where the environment has no other settings of ours."""
    ours = {name: None for name in os.environ if name.startswith("FLEETTWIN_")}
    return CliRunner(env={**ours, "COLUMNS": "200", **variables}).invoke(application(), list(arguments))


def working(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command of a simulated node as a process, where no Kafka is."""
    said = {"XDG_STATE_HOME": str(folder / "states"), "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS": NOBODY, **variables}
    environment = {**outside_environment(), **said}
    return fleettwin(*SIMULATED, *HERE, *arguments, environment=environment, folder=folder)


def written(folder: Path, *nodes: dict[str, Any]) -> str:
    file = folder / "nodes.json"
    file.write_bytes(orjson.dumps(nodes))
    return str(file)


def test_a_dry_run_prints_what_would_be_sent_and_leaves_no_trace(tmp_path: Path) -> None:
    done = working(tmp_path, "--once", "--dry-run", "--json")

    (reading,) = orjson.loads(done.stdout)
    assert done.returncode == 0
    assert Reading.model_validate_json(orjson.dumps(reading)).node == "n1"
    assert reading["power_method"] == "energy_counter"
    assert done.stderr == "fleettwin: found n1: 8 h100-sxm, simulated H100 SXM 80 GB\n"
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_for_people_is_a_table_and_names_what_it_guessed(tmp_path: Path) -> None:
    file = written(tmp_path, {"node": "n7", "type": "h100-sxm", "power_watts": 5000.4, "allocated": 3})

    done = typed("publish", "--source", "file", "--target", file, "--dry-run")

    head, row = done.stdout.splitlines()
    assert done.exit_code == 0
    assert head.split()[:3] == ["site", "node", "rack"]
    assert row.split() == ["unset", "n7", "-", "h100-sxm", "in_service", "8/8", "3", "5,000", "instantaneous", *"---"]
    assert done.stderr.splitlines()[0] == "fleettwin: guessed: --site unset"


def test_a_dry_run_without_a_reading_says_why_and_fails() -> None:
    done = typed("publish", "--source", "file", "--target", "none.json", *HERE, "--dry-run", "--json")

    assert (done.exit_code, done.stdout) == (1, "[]\n")
    assert "fleettwin: failed: none.json: No such file or directory" in done.stderr


def test_a_value_that_cannot_be_is_named_and_the_reading_is_printed(tmp_path: Path) -> None:
    file = written(tmp_path, {"type": "h100-sxm", "power_watts": -43.0, "allocated": 3})

    done = typed("publish", "--source", "file", "--target", file, *HERE, "--dry-run", "--json")

    (reading,) = orjson.loads(done.stdout)
    assert done.exit_code == 0
    assert ("power_watts" in reading, reading["allocated"]) == (False, 3)
    assert "fleettwin: failed: memphis/n1: power_watts is -43; 0 to " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("publish",), "--source is None; expected one of simulated, file", id="no-source"),
        pytest.param(SIMULATED, "--site is None; expected the name of the site", id="no-site"),
        pytest.param((*SIMULATED, "--site", "memphis"), "--node is None", id="no-node"),
        pytest.param((*SIMULATED, *HERE, "--json"), "--json is 'without --dry-run'", id="json-of-what-is-sent"),
        pytest.param(
            ("publish", "--source", "simulated", *HERE, "--dry-run"), "--type is None", id="no-type-to-simulate"
        ),
        pytest.param((*SIMULATED, "--config", "none.yaml"), "--config is 'none.yaml'", id="no-such-file"),
    ],
)
def test_a_mistake_is_the_users_and_named(arguments: tuple[str, ...], message: str) -> None:
    done = typed(*arguments)

    assert isinstance(done.exception, ConfigurationError)
    assert message in str(done.exception)


def test_every_option_can_come_from_the_environment() -> None:
    said = {"SOURCE": "simulated", "SITE": "abilene", "NODE": "n2", "RACK": "r2", "TYPE": "gb200"}

    done = typed("publish", "--dry-run", "--json", **{f"FLEETTWIN_PUBLISH__{name}": one for name, one in said.items()})

    (reading,) = orjson.loads(done.stdout)
    assert [reading[name] for name in ("site", "node", "rack", "type")] == ["abilene", "n2", "r2", "gb200"]


def test_once_without_kafka_keeps_what_it_measured_and_says_where(tmp_path: Path) -> None:
    done = working(tmp_path, "--once")

    folder = tmp_path / "states" / "fleettwin"
    assert done.returncode == 1
    assert f"it has not taken all; what is left waits in {folder}" in done.stderr.splitlines()[-1]
    assert (folder / "spool.db").is_file()


def test_what_kafka_could_never_take_ends_it_at_once(tmp_path: Path) -> None:
    done = working(tmp_path, FLEETTWIN_KAFKA__SECURITY_PROTOCOL="SASL_SSL")

    assert done.returncode == 2
    assert "FLEETTWIN_KAFKA__USER is None" in done.stderr.splitlines()[-1]


def test_a_port_for_metrics_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = working(tmp_path, "--metrics-port", port)

    assert done.returncode == 2
    assert f"--metrics-port is '127.0.0.1:{port}'" in done.stderr.splitlines()[-1]
