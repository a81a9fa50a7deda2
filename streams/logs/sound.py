"""The records of a log that is to be used whole, or up to a damage."""

from __future__ import annotations

from collections.abc import Iterator

from infra.recordlog import LogDamaged, LogReader
from models.record import Record


class SoundPart:
    """What can be used of a log.

    Args:
        log: An open log.
        up_to_damage: Whether a damage ends the records, instead of being raised.
    """

    def __init__(self, log: LogReader, *, up_to_damage: bool) -> None:
        self.log, self.up_to_damage = log, up_to_damage
        self.damage: LogDamaged | None = None
        """Where the records ended, if that was before the log's end."""

    def records(self, since: int | None = None, until: int | None = None) -> Iterator[Record]:
        """The same as of `LogReader.records`.

        Raises:
            LogDamaged: the log is damaged, and it is not to be used up to there.
        """
        try:
            yield from self.log.records(since, until)
        except LogDamaged as damage:
            if not self.up_to_damage:
                raise
            self.damage = damage
