"""What belongs to an isolated replay, and to it alone, by its name."""

from __future__ import annotations

import pytest

from infra.settings import DatabaseSettings, KafkaSettings, Settings
from models.errors import ConfigurationError
from streams.logs.isolation import drop_topics, environment, isolated

OURS = Settings(kafka=KafkaSettings(topic_prefix="ours."))


def test_a_replay_has_its_name_before_the_prefix_of_the_settings_and_a_schema_after_it() -> None:
    assert environment(isolated(OURS, "incident-1", 4)) == {
        "FLEETTWIN_KAFKA__TOPIC_PREFIX": "replay.incident-1.ours.",
        "FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS": "4",
        "FLEETTWIN_DATABASE__SCHEMA_NAME": "replay_incident_1",
        "FLEETTWIN_TWIN__CLOCK": "log",
    }


@pytest.mark.parametrize("name", ["a", "7", "incident-1", "x" * 32])
def test_what_a_name_makes_is_what_the_settings_allow(name: str) -> None:
    made = isolated(OURS, name)

    assert KafkaSettings(topic_prefix=made.kafka.topic_prefix).topic_prefix == made.kafka.topic_prefix
    assert DatabaseSettings(schema_name=made.database.schema_name).schema_name == made.database.schema_name


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a.b", "a b", "x" * 33, "a\n"])
def test_a_name_that_would_not_be_its_own_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="--isolated"):
        isolated(OURS, name)


def test_topics_of_others_are_not_deleted() -> None:
    for settings in (Settings(), OURS, isolated(OURS, "other"), isolated(OURS, "mine-too")):
        with pytest.raises(ValueError, match="is no prefix of the replay 'mine'"):
            drop_topics(settings, "mine")
