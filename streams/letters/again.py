"""Sends refused records again: what is good by now, or was corrected. What still would be refused is told, not sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from infra.kafka_sender import KafkaSender, opened_sender
from infra.settings import Settings
from models.catalogue import Catalogue
from models.dead_letter import read_letter
from models.edge import RowRefusal
from models.errors import RecordRefused
from models.instants import Instant
from models.record import Outgoing, Record
from models.replay_note import AGAIN, note
from models.telemetry import Readings, TelemetryDecoder
from models.topics import INPUTS, LEDGER, TELEMETRY
from streams.letters.contents import with_rows
from streams.letters.finding import Letter
from twin.admission import admit

_AT_A_TIME = 50
"""Letters whose notes are stored before their records are sent."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a letter whose record is sent again."""

    letter: Letter
    record: Record | None
    """What is to be sent; none where nothing of it would be taken."""
    readings: int
    """In it; 1 of what is no reading."""
    refused: tuple[RowRefusal, ...]
    """What still would be: rows of a frame, or the whole as row 0."""


@dataclass
class Judge:
    """Reads records as the twin would that knows this catalogue, if they were sent now."""

    catalogue: Catalogue
    now: Instant

    def __post_init__(self) -> None:
        self._decoder = TelemetryDecoder(self.catalogue)

    def judge(self, letter: Letter, corrected: Record | None = None) -> Judged:
        """What of a letter's record, or of the corrected one, would be taken.

        Of a frame whose other rows were taken when it came, those that were refused count alone.
        """
        record = replace(corrected or letter.refused, timestamp=self.now)
        if record.topic not in INPUTS:
            return refused_whole(letter, RecordRefused("not_sent", f"{record.topic} is written by the workers alone"))
        try:
            if record.topic == TELEMETRY:
                return self._readings(letter, record, all_rows=corrected is not None)
            self._admitted(record)
        except RecordRefused as refused:
            return refused_whole(letter, refused)
        return Judged(letter, _marked(record, letter), 1, ())

    def _readings(self, letter: Letter, record: Record, *, all_rows: bool) -> Judged:
        found = self._decoder.decode(record)
        if not isinstance(found, Readings):
            return Judged(letter, _marked(record, letter), 1, ())
        rows = range(len(found.columns.roster.nodes))
        was_refused = {row.row for row in letter.rows}
        if not all_rows and letter.partly and len(was_refused) == letter.told.rows:
            chosen = was_refused & set(rows)
        else:
            chosen = set(rows)
        refused = tuple(row for row in found.refusals if row.row in chosen)
        good = chosen - {row.row for row in refused}
        if not good:
            return Judged(letter, None, 0, refused)
        sent = record if len(good) == len(rows) else with_rows(record, good)
        return Judged(letter, _marked(sent, letter), len(good), refused)

    def _admitted(self, record: Record) -> None:
        output = admit(record, self.catalogue)
        if output.topic != LEDGER:
            told = read_letter(_as_record(output))
            raise RecordRefused(told.code, told.detail)


def refused_whole(letter: Letter, refused: RecordRefused) -> Judged:
    """A letter of whose record nothing would be taken."""
    return Judged(letter, None, 0, (RowRefusal(0, refused.code, refused.detail),))


def _marked(record: Record, letter: Letter) -> Record:
    """With the place of the record that was refused among its headers."""
    headers = tuple(header for header in record.headers if header[0] != AGAIN)
    return replace(record, headers=(*headers, (AGAIN, letter.place.encode())))


def send_again(
    settings: Settings, judged: Iterable[Judged], now: Instant, tell: Callable[[str], None] = lambda _: None
) -> Iterator[Judged]:
    """Send what is to be sent, and give each back, once Kafka has it, together with those that are not.

    A note of each is stored before: where we die between the two, the note says that it may have been sent. `tell`
    hears of a Kafka that is away, for which records wait as long as the settings say.

    Raises:
        Unavailable: Kafka takes no more; what was given back is sent.
    """
    waiting = iter(judged)
    with opened_sender(settings, tell) as sender:
        while some := list(islice(waiting, _AT_A_TIME)):
            sent = [(one.letter.refused, one.record) for one in some if one.record is not None]
            _store(sender, (note(refused, now) for refused, _ in sent))
            _store(sender, (_outgoing(record) for _, record in sent))
            yield from some


def _store(sender: KafkaSender, records: Iterable[Outgoing]) -> None:
    """Return once Kafka has all of them."""
    for record in records:
        sender.send(record)
    sender.settle()


def _outgoing(record: Record) -> Outgoing:
    """The record to be sent; its partition follows from its key, as with any sender."""
    return Outgoing(record.topic, record.key, record.value, record.headers, identity="")


def _as_record(output: Outgoing) -> Record:
    return Record(output.topic, 0, 0, 0, output.key, output.value, output.headers)
