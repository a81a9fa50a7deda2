"""Ten times what the workers can take, for a minute: what waits where, how much memory it takes, and what is lost.

    python -m benchmarks.backpressure [--seconds 60] [--times 10] [--nodes 125000] [--share 0.1] [--json FILE]

Before the flood every node sends one reading a second, which the workers take as it comes. Then each sends so many
times as many, by the clock on the wall, or as many as Kafka takes on this machine, which is told. Where senders, Kafka
and workers share a machine that is never ten times what the workers take, so these are held back meanwhile: they run
for a tenth of the time. Once they have caught up they are stopped, and the oracle folds all of it again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from benchmarks.burst import Burst, Sending
from benchmarks.ending import ended
from benchmarks.holding import held_back
from benchmarks.machine import machine
from benchmarks.processes import Tree, command, says, wait_until
from benchmarks.stage import Stage, servers, set_up
from infra.kafka_clients import opened_admin, opened_consumer, opened_producer
from infra.settings import Settings
from infra.topics import full_name
from models.topics import NODES, SHORTAGES, STATE, TELEMETRY
from streams.oracle.verifying import verify

SITES = 20
STEADY_SECONDS = 20
LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 3600.0
STORED = (NODES, STATE, SHORTAGES)


@dataclass
class Flood:
    """What was seen."""

    nodes: int
    seconds: float
    wanted_per_second: int
    """Readings, in the flood."""
    share: float
    """Of the time, in which the workers run during the flood."""
    sent_per_second: int = 0
    sent: int = 0
    """Readings, all of the run."""
    lost: int = 0
    """Of these, neither observed nor refused."""
    differences: int = 0
    """That the oracle found."""
    most_lag: int = 0
    """Records of telemetry behind."""
    catch_up_seconds: float = 0.0
    """From the end of the flood until nothing is left."""
    taken_per_second: int = 0
    """Readings folded during the flood, as far as they are in checkpoints."""
    caught_up_per_second: int = 0
    """Readings folded from the beginning of the flood until nothing is left."""
    before_mb: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    """Of each worker."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How far behind the workers are, and what they take."""

    settings: Settings
    admin: KafkaAdminClient
    consumer: KafkaConsumer
    trees: dict[str, Tree]

    def lag(self, group: str, *topics: str) -> int:
        """Records of these topics that the group has not stored."""
        stored = self.stored(group, *topics)
        ends = self.consumer.end_offsets(list(stored))
        return sum(max(ends[place] - next_offset, 0) for place, next_offset in stored.items())

    def stored(self, group: str, *topics: str) -> dict[TopicPartition, int]:
        """The offset up to which the group has stored each partition of these topics."""
        kafka = self.settings.kafka
        name = full_name(kafka, group)
        committed = self.admin.list_group_offsets(name)[name]
        places = [
            TopicPartition(full_name(kafka, topic), number)
            for topic in topics
            for number in range(kafka.telemetry_partitions if topic in (TELEMETRY, NODES) else 1)
        ]
        return {place: committed[place].offset if place in committed else 0 for place in places}

    def look(self, flood: Flood) -> None:
        """Note the most of everything."""
        flood.most_lag = max(flood.most_lag, self.lag("twin", TELEMETRY))
        for name, tree in self.trees.items():
            flood.peak_mb[name] = max(flood.peak_mb.get(name, 0.0), tree.resident_mb())


def flooded(stage: Stage, nodes: int, times: float, seconds: float, share: float) -> Flood:
    """Run it; the stage has no topics of ours yet."""
    flood = Flood(nodes, seconds, round(nodes * times), share)
    with set_up(stage) as place:
        with ExitStack() as stack:
            _run(place, flood, times, stack)
        verification, _ = verify(place.settings, place.database_url, lambda step: print(step, file=sys.stderr))
    flood.differences = verification.differences
    flood.lost = flood.sent - verification.readings["observed"] - verification.readings["refused"]
    return flood


def _run(place: Stage, flood: Flood, times: float, stack: ExitStack) -> None:
    """Everything while the workers run; leaving the stack stops what still does."""
    settings, logs = place.settings, place.logs
    store = stack.enter_context(command("the store", ["store"], place.environment, logs / "store.log"))
    twin_alone = stack.enter_context(ExitStack())
    twin = twin_alone.enter_context(command("the twin", ["twin"], place.environment, logs / "twin.log"))
    wait_until(says(logs / "twin.log", "lanes open"), "an open lane", logs / "twin.log")
    watch = Watch(
        settings,
        stack.enter_context(opened_admin(settings)),
        stack.enter_context(opened_consumer(settings)),
        {"twin": Tree("twin", twin.pid), "store": Tree("store", store.pid)},
    )
    sending = Sending(stack.enter_context(opened_producer(settings)), settings.kafka)
    burst = Burst(flood.nodes, SITES)
    _send(sending, burst, 1.0, STEADY_SECONDS, lambda: None)
    flood.before_mb = {name: tree.resident_mb() for name, tree in watch.trees.items()}

    begun, steady, stored = time.monotonic(), sending.readings, sum(watch.stored("twin", TELEMETRY).values())
    with held_back([twin.pid, store.pid], flood.share):
        _send(sending, burst, times, flood.seconds, lambda: watch.look(flood))
        over, taken = time.monotonic(), sum(watch.stored("twin", TELEMETRY).values()) - stored
    flood.sent, flood.sent_per_second = sending.readings, round((sending.readings - steady) / (over - begun))
    flood.taken_per_second = round(taken * flood.nodes / burst.frames / (over - begun))
    wait_until(lambda: _caught_up(watch, flood), "the twin", logs / "twin.log", PATIENCE_SECONDS)
    flood.catch_up_seconds = round(time.monotonic() - over, 1)
    flood.caught_up_per_second = round((sending.readings - steady) / (time.monotonic() - begun))
    twin_alone.close()
    del watch.trees["twin"]
    wait_until(lambda: watch.lag("store", *STORED) == 0, "the store", logs / "store.log", PATIENCE_SECONDS)
    watch.look(flood)


def _send(sending: Sending, burst: Burst, times: float, seconds: float, look: Callable[[], None]) -> None:
    """Send so many rounds a second, for so long; what comes too late is sent at once. Returns once Kafka has all."""
    begun = due = time.monotonic()
    looked = 0.0
    while due - begun < seconds and time.monotonic() - begun < seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        sending.send_round(burst, time.time_ns() // 1_000_000)
        due += 1 / times
        if time.monotonic() - looked > LOOK_SECONDS:
            looked = time.monotonic()
            look()
    sending.settle()


def _caught_up(watch: Watch, flood: Flood) -> bool:
    """Whether nothing is left but what has come since the last checkpoint: the clocks of some seconds."""
    watch.look(flood)
    left = watch.settings.kafka.telemetry_partitions * (watch.settings.twin.checkpoint_seconds + 2)
    return watch.lag("twin", TELEMETRY) <= left


def told(flood: Flood) -> str:
    """For people."""
    growth = ", ".join(
        f"{name} {flood.before_mb[name]:.0f} to {flood.peak_mb[name]:.0f} MB at the most" for name in flood.before_mb
    )
    times = f"{flood.sent_per_second / flood.taken_per_second:.1f}" if flood.taken_per_second else "any number of"
    return (
        f"{flood.nodes:,} nodes: {flood.sent_per_second:,} readings a second for {flood.seconds:.0f} s"
        f" ({flood.wanted_per_second:,} wanted), {times} times what the workers took meanwhile"
        f" ({flood.taken_per_second:,} a second, in {flood.share:.0%} of the time);"
        f" {flood.caught_up_per_second:,} a second until they had caught up\n"
        f"  memory: {growth}\n"
        f"  at most {flood.most_lag:,} records behind; caught up {flood.catch_up_seconds:.0f} s after the flood\n"
        f"  {flood.sent:,} readings sent, {flood.lost:,} lost, {flood.differences:,} differences"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=60, help="how long the flood lasts")
    options.add_argument("--times", type=float, default=10, help="readings a second of each node in the flood")
    options.add_argument("--nodes", type=int, default=125_000, help="as many readings a second are sent before")
    options.add_argument("--share", type=float, default=0.1, help="of the time, in which workers run in the flood")
    options.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    chosen = options.parse_args()
    if not 0 < chosen.share <= 1:
        options.error(f"--share {chosen.share}: over 0 and at most 1")
    with servers() as stage:
        flood = flooded(stage, chosen.nodes, chosen.times, chosen.seconds, chosen.share)
    if chosen.json is not None:
        report = {"machine": machine(), "flood": asdict(flood)}
        chosen.json.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    print(told(flood))
    if flood.lost or flood.differences:
        sys.exit("benchmarks.backpressure: something was lost")


if __name__ == "__main__":
    ended(main, "benchmarks.backpressure")
