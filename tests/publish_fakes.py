"""Measures, sources and a Kafka for tests of publishing, made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import ConfigurationError, Unavailable
from streams.publish.folding import Folding
from streams.publish.measures import AcceleratorMeasure, Component, Identity, NodeMeasure, Sampled
from streams.publish.options import SourceOptions, Target
from streams.publish.parcels import Parcel
from streams.publish.sequences import Sequence as Numbers
from tests.builders import CATALOGUE, SITE, T0

TYPE = "h100-sxm"
N1 = Identity(SITE, "n1", "r1")


def component(identity: Identity = N1, installed: int = 8, type_: str = TYPE) -> Component:
    return Component(identity, type_, installed, "made by hand")


def accelerators(count: int = 8, **said: Any) -> tuple[AcceleratorMeasure, ...]:
    return tuple(AcceleratorMeasure(**said) for _ in range(count))


def node(identity: Identity = N1, at: int = T0, installed: int = 8, type_: str = TYPE, **said: Any) -> NodeMeasure:
    return NodeMeasure(component(identity, installed, type_), at, **said)


def folding(**said: Any) -> Folding:
    return Folding(CATALOGUE, Numbers(1), said.pop("states", {}), **said)


def options(*targets: Target, **said: Any) -> SourceOptions:
    return SourceOptions(targets or (Target(N1, type=TYPE),), CATALOGUE, **said)


def file_target(path: Path, **said: Any) -> Target:
    return Target(said.pop("identity", N1), str(path), **said)


def parcel(value: bytes = b"{}", topic: str = "fleet.telemetry.v1", key: str = SITE, readings: int = 1) -> Parcel:
    return Parcel(topic, key.encode(), value, (("ce_id", value),), readings)


class FakeSource:
    """Says one thing after the other, and the last again; an error is raised, and what can be called is asked."""

    name = "fake"

    def __init__(self, *said: Sampled | Exception | Callable[[], Any], nodes: Sequence[Component] = ()) -> None:
        self._said, self._nodes = list(said), nodes
        self.closed = False

    async def discover(self) -> Sequence[Component]:
        return self._nodes

    async def sample(self) -> Sampled:
        said = self._said.pop(0) if len(self._said) > 1 else self._said[0]
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Sampled):
            return said
        sampled: Sampled = await said()
        return sampled

    async def close(self) -> None:
        self.closed = True


@dataclass
class FakeAnswer:
    """What kafka-python says of a record, some time."""

    is_done: bool = False
    exception: Exception | None = None

    def get(self, timeout: float) -> None:
        from kafka.errors import KafkaTimeoutError

        if not self.is_done:
            raise KafkaTimeoutError(timeout)
        if self.exception is not None:
            raise self.exception


@dataclass
class FakeKafka:
    """Takes what it is sent, or answers as `answers` says, topic by topic and record by record."""

    taken: list[bytes] = field(default_factory=list)
    """Values, in their order."""
    answers: dict[str, Iterator[Exception | None]] = field(default_factory=dict)
    connections: Iterator[Exception | None] = field(default_factory=lambda: iter(()))
    """What happens to one attempt to connect after the other; then all go well."""
    greetings: Iterator[Exception | None] = field(default_factory=lambda: iter(()))
    late: Iterator[Exception] = field(default_factory=lambda: iter(()))
    """Answers to records, one after the other, that come before all else."""
    silent: bool = False
    """Whether it takes records and says nothing."""
    sent: int = 0

    @contextmanager
    def connect(self) -> Iterator[FakeKafka]:
        from kafka.errors import AuthorizationError, KafkaError

        _raise(next(self.connections, None))
        try:
            yield self
        except AuthorizationError as error:
            raise ConfigurationError("FLEETTWIN_KAFKA__USER", "somebody", str(error)) from error
        except KafkaError as error:
            raise Unavailable("Kafka", str(error), "Wait") from error

    def greet(self) -> None:
        _raise(next(self.greetings, None))

    def send(self, topic: str, *, value: bytes, key: bytes, headers: Iterable[tuple[str, bytes]]) -> FakeAnswer:
        from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

        assert list(headers)
        self.sent += 1
        late = next(self.late, None)
        if late is not None:
            return FakeAnswer(True, late)
        answer = next(self.answers.get(topic, iter(())), None)
        if isinstance(answer, KafkaTimeoutError | MessageSizeTooLargeError):
            raise answer
        if self.silent:
            return FakeAnswer()
        if answer is None:
            self.taken.append(value)
        return FakeAnswer(True, answer)


def _raise(error: Exception | None) -> None:
    if error is not None:
        raise error
