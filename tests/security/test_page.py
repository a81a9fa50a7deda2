"""docs/security.md: every setting that has to do with it, and the same rights as the program gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from infra.acls import Role
from infra.settings import KafkaSettings, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
LAID_OUT = {
    "bootstrap_servers",
    "topic_prefix",
    "telemetry_partitions",
    "replication_factor",
    "telemetry_retention_hours",
    "history_retention_days",
    "patience_seconds",
}
"""Settings of Kafka that are about topics, and about waiting for it."""


def secret_settings() -> list[str]:
    """Those that hold a secret, or name a file with one."""
    found = []
    for part, field in Settings.model_fields.items():
        settings: type[BaseModel] = type(field.default)
        for name, setting in settings.model_fields.items():
            if SecretStr in getattr(setting.annotation, "__args__", ()):
                found += [f"FLEETTWIN_{part.upper()}__{name.upper()}"]
                found += [f"FLEETTWIN_{part.upper()}__{name.upper()}_FILE"]
    return found


@pytest.mark.parametrize("setting", secret_settings())
def test_every_secret_is_there_and_may_stand_in_a_file(setting: str) -> None:
    part, name = setting.removeprefix("FLEETTWIN_").lower().split("__")

    assert f"`{setting}`" in PAGE
    assert name in type(Settings.model_fields[part].default).model_fields


@pytest.mark.parametrize("name", sorted(KafkaSettings.model_fields.keys() - LAID_OUT))
def test_every_setting_of_logging_in_to_kafka_is_there(name: str) -> None:
    assert f"`FLEETTWIN_KAFKA__{name.upper()}`" in PAGE


@pytest.mark.parametrize("role", Role)
def test_every_role_is_there(role: Role) -> None:
    assert f"| `{role}`" in PAGE
