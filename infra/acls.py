"""Who may do what on Kafka: the rights of each role, as Kafka's access control lists."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from infra.kafka_clients import opened_admin
from infra.settings import KafkaSettings, Settings
from infra.topics import REPLAYS, full_name, layouts
from models import topics
from models.errors import ConfigurationError

if TYPE_CHECKING:
    from kafka.admin import ACL


class Role(StrEnum):
    """What a user of Kafka is there for."""

    PUBLISHER = "publisher"
    """Sends telemetry, and what happens to nodes beside it."""
    PLANNER = "planner"
    """Sends facts and demand."""
    CONSUMER = "consumer"
    """Reads shortages."""
    TWIN = "twin"
    STORE = "store"
    AUDITOR = "auditor"
    """Records and verifies: reads all and writes nothing."""
    REPLAYER = "replayer"
    """Plays logs again on topics of their own, and does there whatever it likes."""


class Right(StrEnum):
    """By Kafka's own names."""

    READ = "READ"
    WRITE = "WRITE"
    DESCRIBE = "DESCRIBE"
    CREATE = "CREATE"
    DELETE = "DELETE"


class Resource(StrEnum):
    """What a right is about."""

    TOPIC = "topic"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Grant:
    """A right to one thing by its full name; Kafka adds DESCRIBE to READ, WRITE and DELETE by itself."""

    right: Right
    resource: Resource
    name: str
    prefixed: bool = False
    """Whether it holds for all whose names begin like this."""


_CHECKPOINTS = (topics.SITE_CHECKPOINTS, topics.FLEET_CHECKPOINTS)
_SHORTAGES = (topics.SHORTAGES, topics.OPEN_SHORTAGES)
_READ: dict[Role, Collection[str]] = {
    Role.CONSUMER: _SHORTAGES,
    Role.TWIN: (*topics.INPUTS, topics.LEDGER, *_CHECKPOINTS, topics.STATE, *_SHORTAGES, topics.WORKERS),
    Role.STORE: (topics.NODES, topics.STATE, topics.SHORTAGES, topics.PIPELINE, *topics.DEAD_LETTERS),
}
_WRITTEN: dict[Role, Collection[str]] = {
    Role.PUBLISHER: (topics.TELEMETRY, topics.EVENTS),
    Role.PLANNER: (topics.SITES, topics.DEMAND),
    Role.TWIN: (
        *topics.INPUTS,  # the clock goes into each
        topics.LEDGER,
        topics.NODES,
        topics.STATE,
        *_SHORTAGES,
        topics.WORKERS,
        topics.PIPELINE,
        *_CHECKPOINTS,
        *topics.DEAD_LETTERS,
    ),
    Role.STORE: (topics.PIPELINE,),
}
_WORKERS = ("twin", "store")


def grants_of(kafka: KafkaSettings, role: Role, groups: Collection[str] = ()) -> tuple[Grant, ...]:
    """What the role needs and no more.

    Args:
        kafka: The prefix of topics and groups.
        role: What the user is there for.
        groups: Those that a consumer may be a member of, without the prefix.

    Raises:
        ConfigurationError: groups for a role that has none of its own choice.
    """
    if groups and role is not Role.CONSUMER:
        raise ConfigurationError("--group", ", ".join(groups), f"none, since --as is {role.value}")
    if role is Role.REPLAYER:
        rights = (Right.READ, Right.WRITE, Right.CREATE, Right.DELETE)
        there = tuple(Grant(right, Resource.TOPIC, REPLAYS, prefixed=True) for right in rights)
        return (*there, Grant(Right.READ, Resource.GROUP, REPLAYS, prefixed=True))
    if role is Role.AUDITOR:
        read: Collection[str] = [layout.topic for layout in layouts(kafka)]
        described: Collection[str] = _WORKERS
    else:
        read, described = _READ.get(role, ()), ()
        groups = (role.value,) if role.value in _WORKERS else groups
    return (
        *(Grant(Right.READ, Resource.TOPIC, full_name(kafka, topic)) for topic in read),
        *(Grant(Right.WRITE, Resource.TOPIC, full_name(kafka, topic)) for topic in _WRITTEN.get(role, ())),
        *(Grant(Right.READ, Resource.GROUP, full_name(kafka, group)) for group in groups),
        *(Grant(Right.DESCRIBE, Resource.GROUP, full_name(kafka, group)) for group in described),
    )


def command_of(principal: str, grant: Grant) -> str:
    """What Kafka's own tool would be told, for who keeps such lists elsewhere."""
    who = shlex.quote(principal)
    command = f"kafka-acls --add --allow-principal {who} --operation {grant.right} --{grant.resource} {grant.name}"
    return command + (" --resource-pattern-type prefixed" if grant.prefixed else "")


def allow(settings: Settings, principal: str, grants: Collection[Grant]) -> None:
    """Have Kafka allow all of it; what is allowed already stays so.

    Raises:
        ConfigurationError: this user may not say so, or Kafka has no authorizer.
        Unavailable: no Kafka answers.
    """
    from kafka.errors import SecurityDisabledError  # noqa: PLC0415  # slow to import

    with opened_admin(settings) as admin:
        refused = admin.create_acls([_acl(principal, grant) for grant in grants])["failed"]
        if SecurityDisabledError in refused:
            expected = (
                "an authorizer at the broker, such as StandardAuthorizer: it has none, and allows all to everybody"
            )
            raise ConfigurationError("authorizer.class.name", None, expected)
        for refusal in refused:
            raise refusal()


def _acl(principal: str, grant: Grant) -> ACL:
    from kafka.admin import (  # noqa: PLC0415  # slow to import
        ACL,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePattern,
        ResourceType,
    )

    how = ACLResourcePatternType.PREFIXED if grant.prefixed else ACLResourcePatternType.LITERAL
    pattern = ResourcePattern(ResourceType[grant.resource.name], grant.name, how)
    return ACL(principal, "*", ACLOperation[grant.right.name], ACLPermissionType.ALLOW, pattern)
