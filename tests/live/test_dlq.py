"""What was refused, by the command: found, shown, corrected, sent again once, and taken by the twin."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_producer
from infra.topics import full_name
from models.record import Record
from models.replay_note import AGAIN
from models.topics import DEMAND, SITES, STATE, TELEMETRY, dead_letters
from tests.builders import NEW_TYPE, clock, demand, facts, frame, json_reading, row
from tests.live.world import FOLDED, STORED, World, new_world

STEP = 2000


def send(world: World, *records: Record) -> None:
    """Send them as any sender would."""
    with opened_producer(world.settings) as producer:
        for one in records:
            producer.send(full_name(world.settings.kafka, one.topic), one.value, one.key, list(one.headers))


def tell_time(world: World, until: int) -> None:
    """Send the clock into every partition of the inputs."""
    with opened_producer(world.settings) as producer:
        for topic, partition in world.ends(TELEMETRY, SITES, DEMAND):
            told = clock(until, topic)
            name = full_name(world.settings.kafka, topic)
            producer.send(name, told.value, None, list(told.headers), partition)


def listed(world: World, *options: str) -> list[dict[str, Any]]:
    done = world.fleettwin("dlq", "list", "--json", *options)
    assert done.returncode == 0, done.stderr
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def marked(world: World, topic: str) -> list[Record]:
    """What was sent again."""
    return [record for record in world.records(topic) if record.header(AGAIN) is not None]


@pytest.mark.servers
def test_what_a_new_type_makes_good_is_sent_again_once(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    now = time.time_ns() // 1_000_000
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(NEW_TYPE)
    with new_world(stack, kafka_prefix, database_url, tmp_path, partitions=1) as world:
        tell_time(world, now - STEP)
        twin = world.start("twin")
        rows = [row("old", now), row("new", now, type="abacus"), row("bad", now, power_watts=-43.0)]
        send(world, frame(rows), demand("d", now, types=["abacus"]), facts(at=now, pue=0.5))
        world.wait_until(
            lambda: sum(world.end(dead_letters(topic)) for topic in (TELEMETRY, SITES, DEMAND)) == 3, "three letters"
        )
        world.stop(twin)

        assert [letter["code"] for letter in listed(world, "--topic", "telemetry")] == ["unknown_type"]
        assert {letter["topic"] for letter in listed(world, "--reason", "unknown_type")} == {TELEMETRY, DEMAND}
        assert len(listed(world, "--since", "1h")) == 3
        assert listed(world, "--site", "abilene") == []
        before = world.told("dlq", "replay", "--reason", "unknown_type", "--dry-run")
        assert (before["records"], len(before["still_refused"])) == (0, 3)

        world.environment["FLEETTWIN_TWIN__CATALOGUE"] = str(catalogue)
        dry = world.told("dlq", "replay", "--reason", "unknown_type", "--dry-run")
        assert (dry["records"], dry["readings"]) == (2, 2)
        assert [refused["code"] for refused in dry["still_refused"]] == ["out_of_range"]
        assert marked(world, TELEMETRY) == []

        sent = world.told("dlq", "replay", "--reason", "unknown_type")
        assert (sent["records"], sent["readings"]) == (2, 2)
        assert (len(marked(world, TELEMETRY)), len(marked(world, DEMAND))) == (1, 1)
        again = world.told("dlq", "replay", "--reason", "unknown_type")
        assert (again["records"], len(again["sent_before"])) == (0, 2)
        assert len(marked(world, TELEMETRY)) == 1
        assert all(letter["sent_again"] for letter in listed(world, "--reason", "unknown_type"))
        forced = world.told("dlq", "replay", "telemetry/0/1", "--again")
        assert (forced["records"], len(marked(world, TELEMETRY))) == (1, 2)

        letters = world.end(dead_letters(TELEMETRY))
        world.start("twin", name="knows more")
        world.wait_until(lambda: world.done("twin", *FOLDED), "all of it is folded")
        tell_time(world, now + STEP)
        world.wait_until(lambda: world.end(STATE) > 0 and bool(world.fleet_states()[-1].pools), "a tick is closed")
        pools = {pool.type: pool.installed for pool in world.fleet_states()[-1].pools}
        assert pools == {"abacus": 8, "h100-sxm": 8}
        assert world.end(dead_letters(TELEMETRY)) == letters


@pytest.mark.servers
def test_a_row_that_somebody_corrected_counts_and_the_oracle_agrees(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    now = time.time_ns() // 1_000_000
    with new_world(stack, kafka_prefix, database_url, tmp_path, partitions=1) as world:
        tell_time(world, now - STEP)
        twin, store = world.start("twin"), world.start("store")
        hostile = json_reading(row("\x1b[31mred", now))
        send(world, frame([row("good", now), row("bad", now, power_watts=-43.0)]), hostile)
        world.wait_until(lambda: world.end(dead_letters(TELEMETRY)) == 2, "two letters")

        shown = world.fleettwin("dlq", "show", "telemetry/0/2")
        assert (shown.returncode, "\x1b" in shown.stdout, "\\x1b[31mred" in shown.stdout) == (0, False, True)
        said = orjson.loads(world.fleettwin("dlq", "show", "telemetry/0/1", "--json").stdout)
        (reading,) = said["payload"]["readings"]
        assert (reading["node"], reading["power_watts"]) == ("bad", -43.0)
        assert [one["row"] for one in said["rows"]] == [1]

        corrected = tmp_path / "corrected.jsonl"
        reading["power_watts"] = -1.0
        corrected.write_bytes(orjson.dumps(said) + b"\n")
        still = world.told("dlq", "replay", "--from", corrected)
        assert (still["records"], [one["code"] for one in still["still_refused"]]) == (0, ["out_of_range"])
        reading["power_watts"] = 43.0
        corrected.write_bytes(orjson.dumps(said) + b"\n")
        assert world.told("dlq", "replay", "--from", corrected)["readings"] == 1
        assert world.told("dlq", "replay", "--from", corrected)["sent_before"] == [f"{TELEMETRY}/0/1"]

        tell_time(world, now + STEP)
        world.wait_until(lambda: (world.newest_tick() or 0) >= now, "the tick is written")
        world.wait_until(lambda: world.done("twin", *FOLDED), "the twin has folded everything")
        world.wait_until(lambda: world.done("store", *STORED, dead_letters(TELEMETRY)), "the store has read everything")
        world.stop(twin, store)
        verified = world.told("verify")

    assert (verified["differences"], verified["pending"]) == (0, 0), verified["first_difference"]
    assert verified["readings"] == {"observed": 2, "refused": 2}
    assert verified["compared"][dead_letters(TELEMETRY)]["found"] == 2


@pytest.mark.servers
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("replay",), "which letters is 'not said'", id="nothing-named"),
        pytest.param(("show", "telemetry/0/7"), "a record that was refused", id="no-such-letter"),
        pytest.param(("list", "--topic", "nodes"), "one of telemetry, sites, demand, ledger", id="no-such-topic"),
        pytest.param(("list", "--since", "yesterday"), "a time such as", id="no-time"),
        pytest.param(("replay", "--from", "nowhere.jsonl"), "a readable file", id="no-file"),
    ],
)
def test_a_mistake_costs_a_line_that_says_the_way_out(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, partitions=1) as world:
        done = world.fleettwin("dlq", *arguments)

    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr
