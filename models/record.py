"""A Kafka record as the machines see it, wherever it was read from: a topic, a recorded log, or a test."""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[str, bytes], ...]

SENT_AT = "fleettwin_sent_at"
"""Header with decimal milliseconds: when the record was first sent, set by whoever sends it again or ahead of time."""


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

    @property
    def sent_at(self) -> int:
        """When it was first sent, in milliseconds: the header's word where there is one, else Kafka's."""
        stated = self.header(SENT_AT)
        return int(stated) if stated is not None and stated.isdigit() and len(stated) < 18 else self.timestamp


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record that a machine puts out: `topic` is one of ours, `partition` is set where the key must not choose it.

    `identity` is deterministic: a repeat after a crash has the same one, and readers drop it by that.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    identity: str
    partition: int | None = None
