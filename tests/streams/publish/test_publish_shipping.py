"""From the spool to Kafka: in order, none lost, and a Kafka that is away holds nobody up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from models.errors import ConfigurationError, Unavailable
from streams.publish.aside import Aside
from streams.publish.metrics import PublishMetrics
from streams.publish.shipping import Kafka, Patience, Shipping
from streams.publish.spool import Spool, opened_spool
from tests.publish_fakes import FakeKafka, parcel

TELEMETRY, EVENTS = "fleet.telemetry.v1", "fleet.events.v1"
WRONG = ConfigurationError("FLEETTWIN_KAFKA__PASSWORD", "(hidden)", "the right one")
AWAY = Unavailable("Kafka", "nobody there", "Start it")
QUICK = Patience(look=0.01, silence=0.05, retry=(0.01,), finish=0.5)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with opened_spool(tmp_path / "spool.db", 2**20) as opened:
        yield opened


def shipping_of(kafka: FakeKafka, spool: Spool, **said: object) -> Shipping:
    reached = Kafka("", kafka.connect, kafka.greet)
    return Shipping(reached, spool, PublishMetrics("fake"), patience=QUICK, **said)  # type: ignore[arg-type]


def awaited(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
    return holds()


def write(spool: Spool, *values: bytes, topic: str = TELEMETRY) -> None:
    spool.write([parcel(value, topic) for value in values], b"[]")


def counted(shipping: Shipping, name: str) -> float | None:
    return shipping.metrics.registry.get_sample_value(f"fleettwin_publish_{name}_total")


def test_what_is_written_arrives_in_its_order_and_leaves_the_spool(spool: Spool) -> None:
    kafka = FakeKafka()
    shipping = shipping_of(kafka, spool)
    with shipping.running():
        for number in range(20):
            write(spool, b"%02d" % number)

    assert kafka.taken == [b"%02d" % number for number in range(20)]
    assert spool.fill.records == 0
    assert counted(shipping, "readings") == 20


def test_what_waited_from_before_goes_first(spool: Spool) -> None:
    write(spool, b"01", b"02")
    kafka = FakeKafka()
    with shipping_of(kafka, spool).running():
        write(spool, b"03")

    assert kafka.taken == [b"01", b"02", b"03"]


def test_a_kafka_that_is_away_is_waited_for(spool: Spool) -> None:
    kafka = FakeKafka(connections=iter([AWAY] * 5))
    with shipping_of(kafka, spool).running():
        write(spool, b"01")
        assert awaited(lambda: kafka.taken == [b"01"] and spool.fill.records == 0)  # Kafka's answer was heard, too
        write(spool, b"02")

    assert kafka.taken == [b"01", b"02"]


def test_a_record_that_comes_back_is_sent_again_and_before_the_next(spool: Spool) -> None:
    kafka = FakeKafka(answers={TELEMETRY: iter([None, UnknownTopicOrPartitionError()])})
    shipping = shipping_of(kafka, spool, _aside=Aside(seconds=0.02))
    write(spool, b"01", b"02")
    with shipping.running():
        assert awaited(lambda: kafka.taken == [b"01", b"02"])

    assert spool.fill.records == 0


def test_a_record_for_which_patience_ran_out_is_sent_again(spool: Spool) -> None:
    kafka = FakeKafka(late=iter([KafkaTimeoutError("delivery")]))
    write(spool, b"01")
    with shipping_of(kafka, spool).running():
        assert awaited(lambda: kafka.taken == [b"01"])


def test_a_wrong_password_ends_it_at_once(spool: Spool) -> None:
    ended: list[bool] = []
    kafka = FakeKafka(connections=iter([WRONG]))
    shipping = shipping_of(kafka, spool, ended=lambda: ended.append(True))
    with shipping.running():
        assert awaited(lambda: bool(ended))
        write(spool, b"01")

    assert shipping.refusal is WRONG
    assert (kafka.taken, spool.fill.records) == ([], 1)


def test_a_password_that_is_changed_meanwhile_is_asked_for_twice(spool: Spool) -> None:
    kafka = FakeKafka()
    shipping = shipping_of(kafka, spool)
    with shipping.running():
        write(spool, b"01")
        assert awaited(lambda: kafka.taken == [b"01"])
        kafka.silent, kafka.greetings, kafka.connections = True, iter([WRONG]), iter([WRONG])
        write(spool, b"02")
        assert awaited(lambda: shipping.refusal is WRONG)

    assert spool.fill.records == 1


def refused_once(kafka: FakeKafka) -> Iterator[Exception | None]:
    """The password is wrong when somebody asks, and right from then on."""
    kafka.silent = False
    yield WRONG


def test_a_refusal_that_passes_is_forgiven(spool: Spool) -> None:
    kafka = FakeKafka()
    shipping = shipping_of(kafka, spool)
    with shipping.running():
        write(spool, b"01")
        assert awaited(lambda: kafka.taken == [b"01"])
        kafka.silent, kafka.greetings = True, refused_once(kafka)
        write(spool, b"02")
        assert awaited(lambda: kafka.taken == [b"01", b"02"])

    assert shipping.refusal is None


def test_no_right_to_write_telemetry_ends_it(spool: Spool) -> None:
    kafka = FakeKafka(answers={TELEMETRY: iter([TopicAuthorizationFailedError()])})
    shipping = shipping_of(kafka, spool)
    with shipping.running():
        write(spool, b"01")
        assert awaited(lambda: shipping.refusal is not None)

    assert spool.fill.records == 1


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(KafkaTimeoutError("metadata"), id="which-is-not-there"),
        pytest.param(UnknownTopicOrPartitionError(), id="which-is-gone"),
        pytest.param(TopicAuthorizationFailedError(), id="which-may-not-be-written"),
    ],
)
def test_a_topic_beside_telemetry_holds_nobody_up(spool: Spool, error: Exception) -> None:
    kafka = FakeKafka(answers={EVENTS: iter([error] * 100)})
    shipping = shipping_of(kafka, spool)
    write(spool, b"e1", topic=EVENTS)
    with shipping.running():
        write(spool, b"01", b"02")
        assert awaited(lambda: kafka.taken == [b"01", b"02"])

    assert (shipping.refusal, spool.fill.records) == (None, 1)


def test_what_is_set_aside_goes_once_it_can_be_written(spool: Spool) -> None:
    kafka = FakeKafka(answers={EVENTS: iter([UnknownTopicOrPartitionError()])})
    write(spool, b"e1", b"e2", topic=EVENTS)
    with shipping_of(kafka, spool, _aside=Aside(seconds=0.02)).running():
        assert awaited(lambda: spool.fill.records == 0)

    assert sorted(kafka.taken) == [b"e1", b"e2"]


def test_a_record_that_kafka_will_never_take_is_counted_and_makes_way(spool: Spool) -> None:
    kafka = FakeKafka(answers={TELEMETRY: iter([None, MessageSizeTooLargeError("4 MiB")])})
    shipping = shipping_of(kafka, spool)
    write(spool, b"01", b"02", b"03")
    with shipping.running():
        assert awaited(lambda: spool.fill.records == 0)

    assert kafka.taken == [b"01", b"03"]
    assert counted(shipping, "spool_dropped_records") == 1


def test_a_kafka_that_goes_away_in_the_middle_is_no_missing_topic(spool: Spool) -> None:
    kafka = FakeKafka(answers={EVENTS: iter([KafkaTimeoutError("metadata")])}, greetings=iter([AWAY]))
    write(spool, b"01")
    write(spool, b"e1", topic=EVENTS)
    with shipping_of(kafka, spool).running():
        assert awaited(lambda: spool.fill.records == 0)

    assert kafka.taken == [b"01", b"e1"]


def test_what_nobody_expected_ends_it_and_is_told(spool: Spool) -> None:
    kafka = FakeKafka(answers={TELEMETRY: iter([ZeroDivisionError("of a library")])})
    shipping = shipping_of(kafka, spool)
    write(spool, b"01")
    with shipping.running():
        assert awaited(lambda: shipping.refusal is not None)

    assert str(shipping.refusal) == "sending to Kafka: ZeroDivisionError: of a library. Start it anew"
    assert spool.fill.records == 1


def test_the_end_does_not_wait_for_a_kafka_that_says_nothing(spool: Spool) -> None:
    kafka = FakeKafka(silent=True)
    began = time.monotonic()
    with shipping_of(kafka, spool).running():
        write(spool, b"01")
        assert awaited(lambda: kafka.sent > 0)

    assert time.monotonic() - began < 10
    assert spool.fill.records == 1
