"""The containers cannot be run where the tests run; what can be known without them is checked here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest
import yaml

from cli.db import PASSWORD_VARIABLE
from infra.embedded import kafka_files
from infra.embedded.kafka import LARGEST_MESSAGE_BYTES
from infra.settings import read_settings
from infra.timescale.connection import connect
from infra.timescale.migrations import migrate
from tests.live.world import outside_environment

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)


def filled_in(value: object) -> str:
    """What Compose makes of `${NAME:?message}`."""
    return re.sub(r"\$\{(\w+):\?[^}]*\}", r"secret-\1", str(value))


def test_the_file_follows_the_compose_specification() -> None:
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    schema["properties"]["name"] = {"type": "string"}  # in the specification since 2022

    jsonschema.Draft7Validator(schema).validate(COMPOSE)


@pytest.mark.parametrize("name", OURS)
def test_our_variables_are_settings_that_validate(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [variable for variable in os.environ if variable.startswith("FLEETTWIN_")]:
        monkeypatch.delenv(variable)
    environment = {key: filled_in(value) for key, value in SERVICES[name]["environment"].items()}
    assert all(key.startswith("FLEETTWIN_") or key == PASSWORD_VARIABLE for key in environment)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)

    settings = read_settings()

    assert settings.kafka.bootstrap_servers == "kafka:19092"
    assert settings.database.url is not None
    told = psycopg.conninfo.conninfo_to_dict(settings.database.url.get_secret_value())
    assert told == {
        "user": SERVICES["timescaledb"]["environment"]["POSTGRES_USER"],
        "password": filled_in(SERVICES["timescaledb"]["environment"]["POSTGRES_PASSWORD"]),
        "dbname": SERVICES["timescaledb"]["environment"]["POSTGRES_DB"],
        "host": "timescaledb",
        "port": "5432",
    }


def test_our_services_are_the_workers_and_what_they_need_first() -> None:
    commands = {name: " ".join(SERVICES[name]["command"]) for name in OURS}

    assert commands == {
        "topics": "topics create",
        "migrate": "db migrate",
        "reader": "db login --role reader --name grafana",
        "twin": "twin",
        "store": "store",
    }


def test_no_secret_is_written_down() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key:
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), f"{name}: {key}"


def test_images_are_pinned_and_kafka_is_the_embedded_one() -> None:
    images = {name: service["image"] for name, service in SERVICES.items() if name not in OURS}

    assert all(re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+(-pg17)?", image) for image in images.values()), images
    assert images["kafka"] == f"apache/kafka:{kafka_files.version()}"
    assert SERVICES["kafka"]["environment"]["KAFKA_MESSAGE_MAX_BYTES"] == LARGEST_MESSAGE_BYTES


def test_servers_are_published_on_loopback_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_what_is_waited_for_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed]
            else:
                assert "restart" not in SERVICES[needed], f"{needed} must end for others to begin"


def test_named_volumes_are_declared() -> None:
    used = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }

    assert used == set(COMPOSE["volumes"])


@pytest.mark.servers
def test_grafanas_login_can_be_made_again_and_again(database_url: str) -> None:
    environment = {**outside_environment(), "FLEETTWIN_DATABASE__URL": database_url, "PYTHONPATH": str(ROOT)}
    with psycopg.connect(database_url, autocommit=True) as connection, connect(database_url, "test") as owner:
        migrate(owner, "fleettwin", "here")
        for password in ("first", "it's second"):
            result = subprocess.run(
                [sys.executable, "-m", "cli", *SERVICES["reader"]["command"]],
                env={**environment, PASSWORD_VARIABLE: password},
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, result.stderr
            assert password not in result.stdout + result.stderr

        with psycopg.connect(database_url, user="grafana", password="it's second") as reader:
            row = reader.execute("SELECT pg_has_role('fleettwin_reader', 'member')").fetchone()
            assert row == (True,)
        connection.execute("DROP OWNED BY grafana")
        connection.execute("DROP ROLE grafana")


def test_the_image_leaves_out_nothing_that_the_wheel_needs() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    packages = re.search(
        r"\[tool\.hatch\.build\.targets\.wheel\]\npackages = \[([^]]*)\]", (ROOT / "pyproject.toml").read_text()
    )
    assert packages

    needed = {*re.findall(r'"(\w+)"', packages.group(1)), "pyproject.toml", "README.md", "LICENSE", "requirements.lock"}
    assert needed == {line[1:] for line in ignored if line.startswith("!")}


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()

    assert lines[-2:] == ["USER fleettwin", 'ENTRYPOINT ["fleettwin"]']
