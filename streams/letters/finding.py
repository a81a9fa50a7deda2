"""Finds dead letters on their topics: which there are, why, and which of them were sent again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace

from infra.kafka_clients import opened_consumer
from infra.settings import Settings
from infra.topics import partition_counts
from models.dead_letter import DeadLetter, listed_rows, read_letter, refused_record_of
from models.edge import RowRefusal
from models.errors import RecordRefused
from models.record import Record
from models.replay_note import is_note, place_of, read_note
from models.topics import DEAD_LETTERS, dead_letters
from streams.letters.contents import site_of
from streams.logs.topic_reading import read_batches

PassedOver = Callable[[RecordRefused], None]
"""Told of each record that is no letter; the others still come."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters; whatever is not said is any."""

    topic: str | None = None
    """That of the refused records."""
    reason: str | None = None
    """The code of the record, or of any row that is listed."""
    site: str | None = None
    since: int | None = None
    """Only those that Kafka has taken in since then."""
    places: Collection[str] | None = None
    """Only of these records."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Where they lie."""
        return DEAD_LETTERS if self.topic is None else (dead_letters(self.topic),)

    def takes(self, letter: Letter) -> bool:
        """Whether this one is among them."""
        codes = {letter.told.code, *(row.code for row in letter.rows)}
        return (
            (self.places is None or letter.place in self.places)
            and (self.reason is None or self.reason in codes)
            and (self.site is None or self.site == letter.site)
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """A refused record with the reason."""

    told: DeadLetter
    refused: Record
    """As it was."""
    rows: tuple[RowRefusal, ...]
    """The refused ones of a frame, five hundred at most."""
    site: str | None
    """Which it speaks of, where that can be seen."""

    @property
    def place(self) -> str:
        """Where the refused record stood: what a letter is called by."""
        return place_of(self.refused)

    @property
    def partly(self) -> bool:
        """Whether other rows of the same frame were taken."""
        return bool(self.rows)


@dataclass
class Found:
    """The letters of one reading, without the bytes of their records."""

    letters: dict[str, Letter] = field(default_factory=dict)
    """By place: a worker that takes over from another may write one again."""
    sent_again: dict[str, list[str]] = field(default_factory=dict)
    """By place: when its record was sent again."""

    @property
    def bodies(self) -> set[tuple[str, int]]:
        """On which topics and at which offsets they lie."""
        return {(letter.told.topic, letter.told.offset) for letter in self.letters.values()}


def find(settings: Settings, wanted: Wanted, passed_over: PassedOver) -> Found:
    """The letters that Kafka still has, oldest first.

    Raises:
        ConfigurationError: a topic is not there.
        Unavailable: no Kafka answers.
    """
    found = Found()
    for record in _records(settings, wanted):
        try:
            if is_note(record):
                place, at = read_note(record)
                found.sent_again.setdefault(place, []).append(at)
                continue
            letter = letter_in(record)
        except RecordRefused as refusal:
            passed_over(refusal)
            continue
        if wanted.takes(letter):
            found.letters.setdefault(letter.place, replace(letter, refused=replace(letter.refused, value=None)))
    return found


def whole(settings: Settings, wanted: Wanted, found: Found) -> Iterator[Letter]:
    """The same letters once more, one after the other, with the bytes of their records."""
    bodies = found.bodies
    for record in _records(settings, wanted):
        if (record.topic, record.offset) in bodies:
            yield letter_in(record)


def letter_in(record: Record) -> Letter:
    """The letter that a record is.

    Raises:
        RecordRefused: it is none.
    """
    refused = refused_record_of(record)
    return Letter(read_letter(record), refused, listed_rows(record), site_of(refused))


def _records(settings: Settings, wanted: Wanted) -> Iterator[Record]:
    partitions = partition_counts(settings, wanted.topics)
    with opened_consumer(settings) as consumer:
        for batch in read_batches(consumer, settings.kafka, partitions, since=wanted.since):
            yield from batch
