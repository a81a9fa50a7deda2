"""Merges logs into one: within each partition by offset, and all partitions in one order by time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from pydantic import JsonValue

from infra.recordlog import LogDamaged, LogHeader, LogReader, LogWriter, Part
from infra.whole_files import made_whole
from models.errors import ConfigurationError
from models.partitioning import NOT_PLACED
from models.record import Record
from streams.logs.merging import Place, merged
from streams.logs.sound import SoundPart
from streams.logs.spooling import Spool


@dataclass(slots=True)
class United:
    """What a merge came to."""

    records: int = 0
    repeats: int = 0
    """Records that more than one log had, and that were dropped."""
    damages: list[LogDamaged] = field(default_factory=list)
    """Of the logs that were used up to there."""


def merge_logs(paths: Sequence[Path], out: Path, created_by: str, *, up_to_damage: bool = False) -> United:
    """Write the records of several logs as one log. The order of the logs does not matter.

    Records that nobody has sent yet have no offset to be known by: they are all kept, in each log's order. Only of logs
    that hold the very same records, all but one are passed over.

    Raises:
        ConfigurationError: there is no such log, `out` is there already, or the logs contradict one another.
        LogDamaged: a log is damaged, and is not to be used up to there.
    """
    united = United()
    with ExitStack() as opened, made_whole(out) as beside:
        headers: list[LogHeader] = []
        spools: dict[bytes, Spool] = {}
        for path in paths:
            with LogReader(path) as log:
                source = SoundPart(log, up_to_damage=up_to_damage)
                spool = opened.enter_context(Spool(beside.parent))
                spool.fill(_growing(source.records(), path))
                if source.damage is not None:
                    united.damages.append(source.damage)
                if spool.digest in spools:
                    united.repeats += sum(1 for place in spool.places for _ in spool.records(place))
                spools.setdefault(spool.digest, spool)
                part = Part(log=path.name, created_by=log.header.created_by, up_to_damage=up_to_damage)
                header = log.header.model_copy(update={"made_from": (*log.header.made_from, part)})
                headers.append(header)
        # Whichever order the logs were named in, the same one from here on.
        in_order = [spools[digest] for digest in sorted(spools)]
        with LogWriter(beside, _header(sorted(headers, key=_as_text), created_by)) as writer:
            for record in _in_one_order(in_order, united):
                writer.append(record)
        united.records = writer.records
    return united


def _growing(records: Iterator[Record], path: Path) -> Iterator[Record]:
    """The same records, whose offsets must grow within each partition.

    Raises:
        ConfigurationError: they do not.
    """
    last: dict[Place, int] = {}
    for record in records:
        place = record.topic, record.partition
        if record.partition != NOT_PLACED:
            if record.offset <= last.get(place, record.offset - 1):
                found = f"{record.topic}/{record.partition}/{record.offset} after offset {last[place]}"
                raise ConfigurationError(str(path), found, "offsets that grow within each partition")
            last[place] = record.offset
        yield record


def _as_text(header: LogHeader) -> str:
    return header.model_dump_json()


def _header(headers: Sequence[LogHeader], created_by: str) -> LogHeader:
    """What is true of all of them.

    Raises:
        ConfigurationError: they say different things of how a topic is partitioned.
    """
    partitions: dict[str, int] = {}
    for header in headers:
        for topic, count in header.partitions.items():
            if partitions.setdefault(topic, count) != count:
                found = " and ".join(map(str, sorted({partitions[topic], count})))
                raise ConfigurationError(f"the number of partitions of {topic}", found, "the same in all logs")
    rules: dict[str, JsonValue] = {
        name: value
        for name, value in headers[0].rules.items()
        if all(name in header.rules and header.rules[name] == value for header in headers)
    }
    parts = tuple(part for header in headers for part in header.made_from)
    return LogHeader(created_by=created_by, partitions=partitions, rules=rules, made_from=parts)


def _in_one_order(spools: Sequence[Spool], united: United) -> Iterator[Record]:
    streams: dict[Place, Iterator[Record]] = {}
    for place in {place for spool in spools for place in spool.places}:
        here = [spool.records(place) for spool in spools if place in spool.places]
        if place[1] == NOT_PLACED:
            # Each log is a partition of its own then, told apart from those that there are.
            streams |= {(place[0], NOT_PLACED - number): stream for number, stream in enumerate(here)}
        else:
            streams[place] = _by_offset(here, united)
    return merged(streams)


def _by_offset(streams: Sequence[Iterator[Record]], united: United) -> Iterator[Record]:
    """The records of one partition; what several logs have is given once.

    Raises:
        ConfigurationError: logs have different records at one offset.
    """
    last: Record | None = None
    for record in heapq.merge(*streams, key=attrgetter("offset")):
        if last is None or record.offset != last.offset:
            yield record
        elif record == last:
            united.repeats += 1
        else:
            place = f"{record.topic}/{record.partition}/{record.offset}"
            raise ConfigurationError("the logs", f"two different records at {place}", "recordings of the same topics")
        last = record
