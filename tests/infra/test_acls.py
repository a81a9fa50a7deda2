"""Rights as commands of Kafka's own tool."""

from __future__ import annotations

from infra.acls import Role, command_of, grants_of
from infra.settings import KafkaSettings


def test_a_replayer_has_all_topics_and_groups_of_replays_and_nothing_else() -> None:
    commands = [command_of("User:CN=replay er", grant) for grant in grants_of(KafkaSettings(), Role.REPLAYER)]

    begin, end = (
        "kafka-acls --add --allow-principal 'User:CN=replay er' --operation",
        "--resource-pattern-type prefixed",
    )
    assert commands == [
        f"{begin} READ --topic replay. {end}",
        f"{begin} WRITE --topic replay. {end}",
        f"{begin} CREATE --topic replay. {end}",
        f"{begin} DELETE --topic replay. {end}",
        f"{begin} READ --group replay. {end}",
    ]


def test_a_publisher_has_the_topic_of_its_name_alone() -> None:
    commands = [command_of("User:node", grant) for grant in grants_of(KafkaSettings(), Role.PUBLISHER)]

    assert "kafka-acls --add --allow-principal User:node --operation WRITE --topic fleet.telemetry.v1" in commands
    assert not any("prefixed" in command for command in commands)
