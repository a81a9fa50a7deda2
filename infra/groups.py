"""Consumer groups of our workers: how far each has come, and whether it is at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from infra.kafka_clients import opened_admin
from infra.settings import Settings
from infra.topics import full_name
from models.errors import Unavailable

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

Positions = Mapping[tuple[str, int], int]
"""By topic, without the prefix, and partition: the offset after the last record that is safely through."""

_PATIENCE_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 0.1


def settled_positions(settings: Settings, worker: str) -> Positions:
    """How far a worker that has stopped is safely through; nothing if it never ran.

    Raises:
        Unavailable: it is at work, so that nothing stands still; or no Kafka answers.
    """
    group = full_name(settings.kafka, worker)
    with opened_admin(settings) as admin:
        described = _coordinated(lambda: admin.describe_groups([group])[group])
        if described.get("members"):
            raise Unavailable(f"the {worker} worker", "it is at work", "Stop it and verify again")
        offsets = _coordinated(lambda: admin.list_group_offsets(group)[group])
    return _plain(settings, offsets)


def worker_positions(settings: Settings, worker: str) -> Positions:
    """How far a worker is safely through, at work or not; nothing if it never ran.

    Raises:
        Unavailable: no Kafka answers.
    """
    group = full_name(settings.kafka, worker)
    with opened_admin(settings) as admin:
        return _plain(settings, _coordinated(lambda: admin.list_group_offsets(group)[group]))


def rewind(settings: Settings, worker: str, positions: Positions) -> None:
    """Let a worker's group read again from these offsets on, by the full names of topics; waits until it is empty.

    Raises:
        Unavailable: somebody else of the group is at work, or no Kafka answers.
    """
    from kafka import TopicPartition  # noqa: PLC0415  # slow to import
    from kafka.structs import OffsetAndMetadata  # noqa: PLC0415

    group, deadline = full_name(settings.kafka, worker), time.monotonic() + _PATIENCE_SECONDS
    offsets = {TopicPartition(*place): OffsetAndMetadata(at, "", -1) for place, at in positions.items()}
    with opened_admin(settings) as admin:
        while refused := _refused(_coordinated(lambda: admin.alter_group_offsets(group, offsets))):
            if time.monotonic() > deadline:
                why = f"another {worker} worker is at work, so offsets cannot be set back ({refused})"
                raise Unavailable(f"the group {group}", why, "Stop all of them, then start them again")
            time.sleep(_LOOK_AGAIN_SECONDS)


def _refused(answers: Mapping[Any, Any]) -> str | None:
    from kafka.errors import NoError  # noqa: PLC0415  # slow to import

    return next((answer.__name__ for answer in answers.values() if answer is not NoError), None)


def _plain(settings: Settings, offsets: Mapping[Any, Any]) -> Positions:
    prefix = settings.kafka.topic_prefix
    return {(place.topic.removeprefix(prefix), place.partition): at.offset for place, at in offsets.items()}


def await_coordinator(settings: Settings, worker: str) -> None:
    """Return once Kafka has a coordinator for the worker's group, which a new broker appoints when it is first asked.

    Raises:
        Unavailable: it does not, or no Kafka answers.
    """
    group = full_name(settings.kafka, worker)
    with opened_admin(settings) as admin:
        _coordinated(lambda: admin.describe_groups([group]))


def dismiss(settings: Settings, worker: str, has_ended: Callable[[str], bool]) -> int:
    """Let the group go on without members whose client names say that they have ended; tells how many those were.

    Kafka would wait for them until their sessions time out, and give their partitions to nobody meanwhile.

    Raises:
        Unavailable: no Kafka answers.
    """
    from kafka.admin import MemberToRemove  # noqa: PLC0415  # slow to import

    group = full_name(settings.kafka, worker)
    with opened_admin(settings) as admin:
        members = _coordinated(lambda: admin.describe_groups([group])[group]).get("members") or ()
        gone = [MemberToRemove(member_id=one["member_id"]) for one in members if has_ended(one["client_id"])]
        if gone:
            admin.remove_group_members(group, gone)
    return len(gone)


def clients_of(admin: KafkaAdminClient, group: str) -> Collection[str] | None:
    """What the members of a group, by its full name, call themselves; none where Kafka cannot tell now.

    Raises:
        KafkaError: no Kafka answers.
    """
    described = admin.describe_groups([group])[group]
    return None if described["error"] else [member["client_id"] for member in described["members"]]


def _coordinated(ask: Callable[[], Any]) -> Any:
    """The answer, once there is a coordinator: the first question ever asked of a broker makes it appoint one."""
    from kafka import errors  # noqa: PLC0415  # slow to import

    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except (
            errors.CoordinatorLoadInProgressError,
            errors.CoordinatorNotAvailableError,
            errors.NotCoordinatorError,
        ):
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_AGAIN_SECONDS)
