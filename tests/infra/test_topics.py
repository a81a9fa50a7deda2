"""Topics: made once, with explicit settings, and never quietly taken for what they are not."""

from __future__ import annotations

from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from infra import topics
from infra.embedded.stack import RunningStack
from infra.kafka_clients import MOST_MESSAGE_BYTES
from infra.settings import KafkaSettings, Settings
from models import frame
from models import topics as names
from models.errors import ConfigurationError, Unavailable

INPUTS = (names.TELEMETRY, names.SITES, names.DEMAND, names.LEDGER)


def of(bootstrap_servers: str, prefix: str = "", **kafka: Any) -> Settings:
    return Settings(kafka=KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=prefix, **kafka))


def layout(topic: str, **kafka: Any) -> topics.TopicLayout:
    return next(one for one in topics.layouts(KafkaSettings(**kafka)) if one.topic == topic)


def test_every_topic_of_the_contract_has_one_layout() -> None:
    contract = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    refused = set(map(names.dead_letters, INPUTS))

    assert sorted(one.topic for one in topics.layouts(KafkaSettings())) == sorted(contract | refused)


@pytest.mark.parametrize("topic", INPUTS)
def test_inputs_are_never_compacted(topic: str) -> None:
    assert layout(topic).settings["cleanup.policy"] == "delete"


@pytest.mark.parametrize("topic", [names.TELEMETRY, names.NODES, names.EVENTS, names.SITE_CHECKPOINTS])
def test_what_belongs_to_a_telemetry_partition_is_partitioned_like_it(topic: str) -> None:
    assert layout(topic, telemetry_partitions=5).partitions == 5


@pytest.mark.parametrize("topic", [names.SITES, names.DEMAND, names.LEDGER, names.STATE, names.FLEET_CHECKPOINTS])
def test_what_has_one_order_has_one_partition(topic: str) -> None:
    assert layout(topic, telemetry_partitions=5).partitions == 1


@pytest.mark.parametrize(
    ("topic", "milliseconds"),
    [
        pytest.param(names.TELEMETRY, 2 * 3_600_000, id="telemetry-for-hours"),
        pytest.param(names.STATE, 2 * 3_600_000, id="state-for-hours"),
        pytest.param(names.LEDGER, 3 * 86_400_000, id="ledger-for-days"),
        pytest.param(names.dead_letters(names.SITES), 3 * 86_400_000, id="dead-letters-for-days"),
    ],
)
def test_topics_are_kept_as_long_as_the_settings_say(topic: str, milliseconds: int) -> None:
    found = layout(topic, telemetry_retention_hours=2, history_retention_days=3)

    assert found.settings["retention.ms"] == str(milliseconds)
    assert int(found.settings["segment.ms"]) <= milliseconds / 8


def test_the_largest_frame_fits_into_a_record() -> None:
    assert frame.MOST_BYTES + 256 * 1024 <= MOST_MESSAGE_BYTES


def test_without_kafka_the_address_and_the_way_out_are_named() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1.*FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS"):
        topics.create_topics(of("127.0.0.1:1"))


@pytest.mark.parametrize("address", ["kafka", "kafka:http", ":9092", ""])
def test_an_address_that_is_none_is_the_users_mistake(address: str) -> None:
    with pytest.raises(ConfigurationError, match="host:port"):
        topics.describe(of(address))


@pytest.mark.servers
def test_topics_are_made_once_and_as_laid_out(
    stack: RunningStack, kafka_admin: KafkaAdminClient, kafka_prefix: str
) -> None:
    settings = of(stack.kafka, kafka_prefix, telemetry_partitions=3)

    assert len(topics.create_topics(settings)) == len(topics.layouts(settings.kafka))
    assert topics.create_topics(settings) == ()
    assert topics.partition_counts(settings, INPUTS) == {
        names.TELEMETRY: 3,
        names.SITES: 1,
        names.DEMAND: 1,
        names.LEDGER: 1,
    }
    for found in topics.describe(settings):
        assert found.partitions == found.layout.partitions
        resource = ConfigResource(ConfigResourceType.TOPIC, found.name)
        kept = kafka_admin.describe_configs([resource], config_filter="all")["topic"][found.name]
        assert {name: kept[name]["value"] for name in found.layout.settings} == found.layout.settings


@pytest.mark.servers
def test_another_number_of_partitions_is_an_error_that_says_both(stack: RunningStack, kafka_prefix: str) -> None:
    topics.create_topics(of(stack.kafka, kafka_prefix, telemetry_partitions=2))

    with pytest.raises(ConfigurationError, match=rf"partitions of {kafka_prefix}{names.TELEMETRY} is 2; expected 4"):
        topics.create_topics(of(stack.kafka, kafka_prefix, telemetry_partitions=4))


@pytest.mark.servers
def test_more_replicas_than_brokers_is_the_users_mistake(stack: RunningStack, kafka_prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="REPLICATION_FACTOR"):
        topics.create_topics(of(stack.kafka, kafka_prefix, replication_factor=3))


@pytest.mark.servers
def test_deleted_topics_are_gone_and_can_be_made_anew(stack: RunningStack, kafka_prefix: str) -> None:
    settings = of(stack.kafka, kafka_prefix, telemetry_partitions=2)
    made = topics.create_topics(settings)

    assert topics.delete_topics(settings) == made
    assert topics.delete_topics(settings) == ()
    assert topics.create_topics(settings) == made


@pytest.mark.servers
def test_a_topic_that_is_not_there_is_named(stack: RunningStack, kafka_prefix: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{kafka_prefix}{names.SITES}.*topics create"):
        topics.partition_counts(of(stack.kafka, kafka_prefix), [names.SITES])
