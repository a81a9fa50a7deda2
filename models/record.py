"""A Kafka record as the machines see it, wherever it was read from: a topic, a recorded log, or a test."""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `offset` is its place in the partition, `timestamp` what Kafka says in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    def header(self, name: str) -> bytes | None:
        """The last header of that name, as Kafka has it: the later one wins."""
        for key, value in reversed(self.headers):
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record that a machine puts out: `topic` is one of ours, `partition` is set where the key must not choose it.

    `identity` is deterministic: a repeat after a crash has the same one, and readers drop it by that.
    """

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    identity: str
    partition: int | None = None
