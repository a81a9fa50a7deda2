"""What each role may do on Kafka, on a broker that refuses everything else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.acls import Role, allow, grants_of
from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_consumer, opened_producer
from infra.settings import KafkaSettings, Settings
from infra.topics import create_topics, full_name, layouts, partition_counts
from models.errors import ConfigurationError
from models.topics import (
    DEAD_LETTERS,
    DEMAND,
    EVENTS,
    FLEET_CHECKPOINTS,
    INPUTS,
    LEDGER,
    NODES,
    OPEN_SHORTAGES,
    PIPELINE,
    SHORTAGES,
    SITE_CHECKPOINTS,
    SITES,
    STATE,
    TELEMETRY,
    WORKERS,
)
from streams.logs.isolation import drop_topics, isolated, prepare
from tests.live.world import fleettwin, outside_environment
from tests.security.servers import Secured, variables

pytestmark = pytest.mark.servers

PREFIX = "rights."
ALL = {layout.topic for layout in layouts(KafkaSettings())}
WRITTEN = {
    Role.PUBLISHER: {TELEMETRY, EVENTS},
    Role.PLANNER: {SITES, DEMAND},
    Role.CONSUMER: set(),
    Role.TWIN: ALL - {EVENTS},
    Role.STORE: {PIPELINE},
    Role.AUDITOR: set(),
    Role.REPLAYER: set(),
}
READ = {
    Role.PUBLISHER: set(),
    Role.PLANNER: set(),
    Role.CONSUMER: {SHORTAGES, OPEN_SHORTAGES},
    Role.TWIN: ALL - {NODES, EVENTS, PIPELINE, *DEAD_LETTERS},
    Role.STORE: {NODES, STATE, SHORTAGES, PIPELINE, *DEAD_LETTERS},
    Role.AUDITOR: ALL,
    Role.REPLAYER: set(),
}
"""The other way round than the program says it: by what can be done, not by what was granted."""


@pytest.fixture(scope="module")
def admin(secured: Secured) -> Settings:
    """The settings of who may do everything; the topics are there, with a record in each."""
    known = settings(secured.as_admin)
    create_topics(known)
    with opened_producer(known) as producer:
        for topic in ALL:
            producer.send(full_name(known.kafka, topic), key=b"k", value=b"v").get(timeout=10)
    return known


def settings(kafka: dict[str, str], prefix: str = PREFIX) -> Settings:
    return Settings(kafka=KafkaSettings.model_validate({**kafka, "topic_prefix": prefix, "telemetry_partitions": 1}))


@pytest.fixture(scope="module")
def users(secured: Secured, admin: Settings) -> dict[Role, dict[str, str]]:
    """A user of each role."""
    made = {}
    for role in Role:
        user, password = secured.add_user()
        grants = grants_of(admin.kafka, role, ("pager",) if role is Role.CONSUMER else ())
        allow(admin, f"User:{user}", grants)
        secured.await_rights(user, len(grants))
        made[role] = secured.as_user(user, password)
    return made


@contextmanager
def refused(user: str) -> Iterator[None]:
    """Whatever happens within must be forbidden to the user."""
    with pytest.raises(ConfigurationError) as forbidden:
        yield
    assert (forbidden.value.setting, forbidden.value.value) == ("FLEETTWIN_KAFKA__USER", user)


@pytest.mark.parametrize("role", Role)
def test_a_role_writes_what_it_must_and_nothing_else(users: dict[Role, dict[str, str]], role: Role) -> None:
    for topic in sorted(WRITTEN[role]):
        write(users[role], topic)
    for topic in sorted(ALL - WRITTEN[role]):
        with refused(users[role]["user"]):
            write(users[role], topic)


def write(user: dict[str, str], topic: str, prefix: str = PREFIX) -> None:
    known = settings(user, prefix)
    with opened_producer(known) as producer:
        producer.send(full_name(known.kafka, topic), key=b"k", value=b"v").get(timeout=10)


@pytest.mark.parametrize("role", Role)
def test_a_role_reads_what_it_must_and_nothing_else(users: dict[Role, dict[str, str]], role: Role) -> None:
    for topic in sorted(READ[role]):
        assert read(users[role], topic) > 0
    for topic in sorted(ALL - READ[role]):
        with refused(users[role]["user"]):
            read(users[role], topic)


def read(user: dict[str, str], topic: str, group: str | None = None, prefix: str = PREFIX) -> int:
    """How many records came, to a reader that looks first whether the topic is there, as ours do."""
    from kafka import TopicPartition

    known = settings(user, prefix)
    partition_counts(known, (topic,))
    with opened_consumer(known, group and full_name(known.kafka, group)) as consumer:
        consumer.assign([TopicPartition(full_name(known.kafka, topic), 0)])
        consumer.seek_to_beginning()
        if group is not None:
            consumer.commit()
        return sum(map(len, consumer.poll(timeout_ms=10_000).values()))


def test_a_consumer_has_its_own_group_and_no_other(users: dict[Role, dict[str, str]]) -> None:
    assert read(users[Role.CONSUMER], SHORTAGES, "pager") > 0
    for group in ("twin", "store", "another"):
        with refused(users[Role.CONSUMER]["user"]):
            read(users[Role.CONSUMER], SHORTAGES, group)


@pytest.mark.parametrize("role", Role)
def test_nobody_but_an_admin_makes_topics_or_gives_rights(users: dict[Role, dict[str, str]], role: Role) -> None:
    known = settings(users[role], "other.")
    with refused(users[role]["user"]):
        create_topics(known)
    with refused(users[role]["user"]):
        allow(known, f"User:{users[role]['user']}", grants_of(known.kafka, Role.AUDITOR))


def test_a_replayer_makes_topics_below_those_of_replays_and_does_there_what_it_likes(
    users: dict[Role, dict[str, str]],
) -> None:
    user = users[Role.REPLAYER]
    apart = isolated(settings(user), "incident", 1)
    prepare(apart, "incident")
    write(user, LEDGER, apart.kafka.topic_prefix)
    assert read(user, LEDGER, "twin", apart.kafka.topic_prefix) == 1
    assert len(drop_topics(apart, "incident")) == len(ALL)
    with refused(user["user"]):
        create_topics(settings(user, "replays."))


def test_what_may_not_be_seen_is_told_as_such(users: dict[Role, dict[str, str]]) -> None:
    with refused(users[Role.PUBLISHER]["user"]):
        partition_counts(settings(users[Role.PUBLISHER]), (LEDGER,))
    assert partition_counts(settings(users[Role.PUBLISHER]), (TELEMETRY,)) == {TELEMETRY: 1}


@pytest.mark.parametrize(
    "command",
    [("twin",), ("store",), ("alerts", "--group", "mine")],
    ids=" ".join,
)
def test_a_worker_without_its_rights_ends_at_once_and_says_which_command_shows_them(
    secured: Secured, users: dict[Role, dict[str, str]], tmp_path: Path, command: tuple[str, ...]
) -> None:
    environment = outside_environment() | variables({**users[Role.PUBLISHER], "topic_prefix": PREFIX})
    environment |= {
        "FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS": "1",
        "FLEETTWIN_DATABASE__URL": secured.url("fleettwin"),
    }
    done = fleettwin(*command, environment=environment, folder=tmp_path, seconds=30)

    assert done.returncode == 2, done.stderr
    assert "FLEETTWIN_KAFKA__USER" in done.stderr
    assert "fleettwin topics acls" in done.stderr


def test_the_commands_for_kafka_s_own_tool_are_those_that_apply_gives(admin: Settings) -> None:
    environment = outside_environment() | {"FLEETTWIN_KAFKA__TOPIC_PREFIX": PREFIX}
    command = ("topics", "acls", "User:it's me", "--as", "consumer", "--group", "pager")
    done = fleettwin(*command, environment=environment, folder=Path.cwd())

    quoted = """'User:it'"'"'s me'"""
    assert done.stdout.splitlines() == [
        f"kafka-acls --add --allow-principal {quoted} --operation {right} --{thing}"
        for right, thing in [
            ("READ", f"topic {PREFIX}{SHORTAGES}"),
            ("READ", f"topic {PREFIX}{OPEN_SHORTAGES}"),
            ("READ", f"group {PREFIX}pager"),
        ]
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("me", "--as", "twin"), "User:", id="no-principal"),
        pytest.param(("User:me", "--as", "twin", "--group", "g"), "--group", id="group-of-a-worker"),
    ],
)
def test_a_right_that_makes_no_sense_is_refused(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = fleettwin("topics", "acls", *arguments, environment=outside_environment(), folder=tmp_path)

    assert done.returncode == 2
    assert said in done.stderr


def test_a_broker_without_an_authorizer_says_so(stack: RunningStack) -> None:
    known = Settings(kafka=KafkaSettings(bootstrap_servers=stack.kafka))
    with pytest.raises(ConfigurationError, match="authorizer"):
        allow(known, "User:a", grants_of(known.kafka, Role.PUBLISHER))


def test_every_topic_is_somebody_s() -> None:
    used = set().union(*WRITTEN.values()) | {SITE_CHECKPOINTS, FLEET_CHECKPOINTS, WORKERS, *INPUTS}

    assert used == ALL
