"""Cuts a part out of a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from infra.recordlog import LogDamaged, LogHeader, LogReader, LogWriter, Part
from infra.whole_files import made_whole
from models.errors import ConfigurationError
from models.record import Record
from models.topics import DEMAND
from streams.logs.sound import SoundPart
from streams.logs.statements import OF_ONE_SITE, is_statement, of_sites


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in milliseconds, or so long after the log's first record was sent."""

    milliseconds: int
    after_beginning: bool = False

    def at(self, log: LogReader) -> int | None:
        """As an instant; none where the log has no record to count from."""
        if not self.after_beginning:
            return self.milliseconds
        begins = log.begins()
        return None if begins is None else begins + self.milliseconds


@dataclass(frozen=True, slots=True)
class Choice:
    """What is wanted of a log; none means no bound, all topics, all sites."""

    since: Moment | None = None
    until: Moment | None = None
    topics: Collection[str] | None = None
    sites: Collection[str] | None = None
    with_facts: bool = False
    """Also what was said of sites and demand before `since`."""


@dataclass(slots=True)
class Cut:
    """What a cut came to."""

    kept: Counter[str] = field(default_factory=Counter)
    """Records by topic."""
    from_before: int = 0
    """How many of these are from before the beginning."""
    damage: LogDamaged | None = None
    """Where the log is damaged, if it was used up to there."""


def cut_log(path: Path, out: Path, choice: Choice, created_by: str, *, up_to_damage: bool = False) -> Cut:
    """Write a part of a log as a log; records stay as they are, and in their order.

    Raises:
        ConfigurationError: there is no such log, `out` is there already, or nothing lies between the bounds.
        LogDamaged: the log is damaged, and is not to be used up to there.
    """
    with LogReader(path) as log, made_whole(out) as beside:
        part = _part(log, choice, created_by=log.header.created_by, up_to_damage=up_to_damage)
        source, cut = SoundPart(log, up_to_damage=up_to_damage), Cut()
        with LogWriter(beside, _header(log.header, part, created_by)) as writer:
            for record in _chosen(source, part, cut):
                writer.append(record)
                cut.kept[record.topic] += 1
        cut.damage = source.damage
    return cut


def _part(log: LogReader, choice: Choice, created_by: str, *, up_to_damage: bool) -> Part:
    since, until = (None if moment is None else moment.at(log) for moment in (choice.since, choice.until))
    if since is not None and until is not None and since >= until:
        raise ConfigurationError("--until", until, f"more than --from, which is {since} in milliseconds")
    return Part(
        log=log.path.name,
        created_by=created_by,
        since=since,
        until=until,
        topics=None if choice.topics is None else tuple(sorted(choice.topics)),
        sites=None if choice.sites is None else tuple(sorted(choice.sites)),
        with_facts=choice.with_facts,
        up_to_damage=up_to_damage,
    )


def _header(header: LogHeader, part: Part, created_by: str) -> LogHeader:
    """The header of the part: it has no partitions of topics that were left out."""
    kept = {
        topic: count
        for topic, count in header.partitions.items()
        if (part.topics is None or topic in part.topics) and (part.sites is None or topic in (*OF_ONE_SITE, DEMAND))
    }
    changed = {"created_by": created_by, "partitions": kept, "made_from": (*header.made_from, part)}
    return header.model_copy(update=changed)


def _chosen(source: SoundPart, part: Part, cut: Cut) -> Iterator[Record]:
    topics = None if part.topics is None else frozenset(part.topics)
    sites = None if part.sites is None else frozenset(part.sites)
    # What was said before may stand anywhere in the log: its beginning cannot be passed over then.
    for record in source.records(None if part.with_facts else part.since, part.until):
        is_early = part.since is not None and record.sent_at < part.since
        if (
            (is_early and not is_statement(record))
            or (topics is not None and record.topic not in topics)
            or (sites is not None and not of_sites(record, sites))
        ):
            continue
        cut.from_before += is_early
        yield record
