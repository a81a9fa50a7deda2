"""What is done to a twin at work. Each fault gives the moment, in seconds of the wall, from which it should recover."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

import psycopg

from infra.kafka_clients import opened_producer
from infra.settings import Settings
from infra.topics import full_name, partition_counts
from models.topics import FLEET_CHECKPOINTS, INPUTS, LEDGER, SITE_CHECKPOINTS
from tests.faults.crew import Member
from tests.faults.servers import Breakable
from tests.faults.twin import Twin

Fault = Callable[[Twin, random.Random], float]

SESSION_SECONDS = 10.0
"""Kafka misses a silent member of a group after so long."""


def kill_a_twin(twin: Twin, choice: random.Random) -> float:
    return _killed(choice.choice(twin.twins))


def kill_both_twins(twin: Twin, _: random.Random) -> float:
    return _killed(*twin.twins)


def kill_the_store(twin: Twin, _: random.Random) -> float:
    return _killed(twin.store)


def kill_the_sender(twin: Twin, _: random.Random) -> float:
    return _killed(twin.sender)


def kill_all_workers(twin: Twin, _: random.Random) -> float:
    return _killed(*twin.twins, twin.store, twin.sender)


def end_a_twin_kindly(twin: Twin, choice: random.Random) -> float:
    """A rebalance in which the old owner gives its partitions back, and one in which it gets some again."""
    member = choice.choice(twin.twins)
    before = member.starts
    member.signal(signal.SIGTERM)
    twin.crew.wait_until(lambda: member.starts > before and member.runs, "it ends and is started again", 60)
    return time.time()


def put_a_twin_to_sleep(twin: Twin, choice: random.Random) -> float:
    return _slept(twin, choice.choice(twin.twins), choice.uniform(1, 0.6 * SESSION_SECONDS))


def put_a_twin_to_sleep_until_it_is_missed(twin: Twin, choice: random.Random) -> float:
    """When it wakes, another one has its partitions: what it still writes must change nothing."""
    return _slept(twin, choice.choice(twin.twins), SESSION_SECONDS + choice.uniform(2, 6))


def put_the_store_to_sleep_until_it_is_missed(twin: Twin, choice: random.Random) -> float:
    return _slept(twin, twin.store, SESSION_SECONDS + choice.uniform(2, 6))


def kill_kafka(twin: Twin, _: random.Random) -> float:
    return _restarted(twin.servers.kafka)


def kill_the_database(twin: Twin, _: random.Random) -> float:
    return _restarted(twin.servers.database)


def kill_both_servers(twin: Twin, _: random.Random) -> float:
    twin.servers.database.kill()
    _restarted(twin.servers.kafka)
    twin.servers.database.start()
    return time.time()


def put_kafka_to_sleep(twin: Twin, choice: random.Random) -> float:
    return _server_slept(twin, twin.servers.kafka, choice.uniform(1, 8))


def put_the_database_to_sleep(twin: Twin, choice: random.Random) -> float:
    return _server_slept(twin, twin.servers.database, choice.uniform(1, 8))


def end_all_connections_to_the_database(twin: Twin, _: random.Random) -> float:
    with psycopg.connect(twin.servers.database_url) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            " and backend_type = 'client backend'"
        )
    return time.time()


def damage_checkpoints(twin: Twin, choice: random.Random) -> float:
    """Every chunk and manifest of the newest checkpoints gets other bytes; then both workers are killed."""
    spoil_checkpoints(twin.settings, choice, slots=(choice.randrange(2),))
    return _killed(*twin.twins)


def spoil_checkpoints(settings: Settings, choice: random.Random, slots: tuple[int, ...] = (0, 1)) -> None:
    """Write random bytes over the checkpoints in these slots."""
    with opened_producer(settings) as producer:
        for topic, lanes in ((SITE_CHECKPOINTS, INPUTS[:1]), (FLEET_CHECKPOINTS, (*INPUTS[1:], LEDGER))):
            for partition in range(partition_counts(settings, [topic])[topic]):
                for lane in lanes:
                    for slot in slots:
                        for part in ("0", "manifest"):
                            key = f"{lane}/{slot}/{part}".encode()
                            value = choice.randbytes(200)
                            producer.send(full_name(settings.kafka, topic), value, key=key, partition=partition)


FAULTS: tuple[Fault, ...] = (
    kill_a_twin,
    kill_both_twins,
    kill_the_store,
    kill_the_sender,
    kill_all_workers,
    end_a_twin_kindly,
    put_a_twin_to_sleep,
    put_a_twin_to_sleep_until_it_is_missed,
    put_the_store_to_sleep_until_it_is_missed,
    kill_kafka,
    kill_the_database,
    kill_both_servers,
    put_kafka_to_sleep,
    put_the_database_to_sleep,
    end_all_connections_to_the_database,
    damage_checkpoints,
)


KAFKA_AWAY_SECONDS, DATABASE_AWAY_SECONDS = 120.0, 600.0


def take_kafka_away(twin: Twin, _: random.Random) -> float:
    return _away(twin, twin.servers.kafka, KAFKA_AWAY_SECONDS)


def take_the_database_away(twin: Twin, _: random.Random) -> float:
    return _away(twin, twin.servers.database, DATABASE_AWAY_SECONDS)


OUTAGES: tuple[Fault, ...] = (take_kafka_away, take_the_database_away)
"""Longer than anybody waits for an answer; done once, since they take their time."""


def _killed(*members: Member) -> float:
    moment = time.time()
    for member in members:
        member.kill()
    return moment


def _slept(twin: Twin, member: Member, seconds: float) -> float:
    member.signal(signal.SIGSTOP)
    _pass(twin, seconds)
    member.signal(signal.SIGCONT)
    return time.time()


def _restarted(server: Breakable) -> float:
    server.kill()
    server.start()
    return time.time()


def _away(twin: Twin, server: Breakable, seconds: float) -> float:
    server.kill()
    _pass(twin, seconds)
    server.start()
    return time.time()


def _server_slept(twin: Twin, server: Breakable, seconds: float) -> float:
    server.sleep()
    _pass(twin, seconds)
    server.wake()
    return time.time()


def _pass(twin: Twin, seconds: float) -> None:
    """Let so much time pass, in which the others go on."""
    until = time.monotonic() + seconds
    twin.crew.wait_until(lambda: time.monotonic() >= until, "time passes", seconds + 60)
