"""Logs for people and for programs; what others wrote into them is spelt out so that no terminal acts on it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.recordlog import LogDamaged, Part
from models.wording import printable
from streams.logs.forms.lines import when
from streams.logs.inspecting import Content, Contents
from streams.logs.verifying import Verdict

_WIDE = 10_000
"""Columns of what is no terminal: nothing is cut."""
_MOST_DISORDER = 10
"""Of one log, one a line."""


def told(log: Path, contents: Contents) -> Iterator[str]:
    """What a log holds, as lines for people."""
    header, state = contents.header, "whole" if contents.damage is None else "DAMAGED"
    yield f"{log}: version {contents.version}, {contents.size:,} bytes, {state}"
    if contents.damage is not None:
        yield f"  damage      {_place(contents.damage)}"
    yield f"  made by     {printable(header.created_by)}"
    for part in header.made_from:
        yield f"  made from   {_part(part)}"
    packed = "" if contents.ratio is None else f", {contents.ratio:.1f} to 1 compressed (zstd)"
    yield f"  records     {contents.records:,} in {contents.blocks:,} blocks{packed}"
    if contents.earliest is not None and contents.latest is not None:
        seconds = (contents.latest - contents.earliest) / 1000
        yield f"  sent        {_when(contents.earliest)} to {_when(contents.latest)}, {seconds:,.1f} s"
    if header.partitions:
        counts = (f"{printable(topic)} {count}" for topic, count in sorted(header.partitions.items()))
        yield f"  partitions  {', '.join(counts)}"
    if header.rules:
        yield f"  rules       {', '.join(printable(f'{name} {value}') for name, value in header.rules.items())}"
    if contents.partitions:
        yield ""
        console = Console(width=None if sys.stdout.isatty() else _WIDE)
        with console.capture() as drawn:
            console.print(_table(contents))
        yield from (row.rstrip() for row in drawn.get().splitlines())


def as_object(log: Path, contents: Contents) -> dict[str, Any]:
    """The same for programs; times are in milliseconds."""
    damage = contents.damage
    topics: dict[str, dict[str, Any]] = {}
    for (topic, partition), content in contents.partitions.items():
        of_topic = topics.setdefault(topic, {"records": 0, "bytes": 0, "partitions": {}})
        of_topic["records"] += content.records
        of_topic["bytes"] += content.bytes
        of_topic["partitions"][str(partition)] = _content(content)
    return {
        "log": str(log),
        "version": contents.version,
        "header": contents.header.model_dump(mode="json"),
        "bytes": contents.size,
        "blocks": contents.blocks,
        "compression": {"stored_bytes": contents.stored_bytes, "raw_bytes": contents.raw_bytes},
        "records": contents.records,
        "earliest": contents.earliest,
        "latest": contents.latest,
        "topics": topics,
        "damage": None if damage is None else {"block": damage.block, "byte": damage.offset, "why": damage.why},
    }


def verdict(log: Path, found: Verdict) -> Iterator[str]:
    """What came of checking a log."""
    if found.damage is not None:
        yield f"{log}: {_place(found.damage)}; the {found.records:,} records before it are good"
    elif found.disorder:
        yield f"{log}: whole, and not in order; {found.records:,} records in {found.blocks:,} blocks"
    else:
        yield f"{log}: whole and in order; {found.records:,} records in {found.blocks:,} blocks"
    for one in found.disorder[:_MOST_DISORDER]:
        yield f"  {printable(one)}"
    if len(found.disorder) > _MOST_DISORDER:
        yield f"  and {len(found.disorder) - _MOST_DISORDER:,} more partitions"
    if found.unreadable:
        yield f"  {found.unreadable:,} records have a header that nobody can read, as they were recorded"
    yield f"  checked: {', '.join(found.checked)}"


def _table(contents: Contents) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("topic", "partition", "records", "bytes", "offsets", "gaps", "missing", "first sent", "last sent"):
        table.add_column(
            name, no_wrap=True, justify="left" if name in ("topic", "first sent", "last sent") else "right"
        )
    several = Counter(topic for topic, _ in contents.partitions)
    done = set[str]()
    for (topic, partition), content in contents.partitions.items():
        if topic not in done and several[topic] > 1:
            table.add_row(Text(printable(topic)), "all", *_sums(contents, topic))
        done.add(topic)
        offsets = "" if content.first_offset is None else f"{content.first_offset} to {content.last_offset}"
        table.add_row(
            Text(printable(topic)),
            "unsent" if content.first_offset is None else str(partition),
            f"{content.records:,}",
            f"{content.bytes:,}",
            offsets,
            f"{content.gaps:,}",
            f"{content.missing:,}",
            _when(content.earliest),
            _when(content.latest),
        )
    return table


def _sums(contents: Contents, topic: str) -> tuple[str, ...]:
    of_topic = [content for (name, _), content in contents.partitions.items() if name == topic]
    return (f"{sum(one.records for one in of_topic):,}", f"{sum(one.bytes for one in of_topic):,}")


def _content(content: Content) -> dict[str, Any]:
    return {
        "records": content.records,
        "bytes": content.bytes,
        "first_offset": content.first_offset,
        "last_offset": content.last_offset,
        "gaps": content.gaps,
        "missing": content.missing,
        "earliest": content.earliest,
        "latest": content.latest,
    }


def _part(part: Part) -> str:
    said = [printable(part.log)]
    said += [f"from {_when(part.since)}"] if part.since is not None else []
    said += [f"until {_when(part.until)}"] if part.until is not None else []
    said += [f"topics {printable(', '.join(part.topics))}"] if part.topics is not None else []
    said += [f"sites {printable(', '.join(part.sites))}"] if part.sites is not None else []
    said += ["with facts from before"] if part.with_facts else []
    said += ["up to a damage, if there was one"] if part.up_to_damage else []
    return ", ".join(said)


def _place(damage: LogDamaged) -> str:
    return f"damaged in block {damage.block}, which begins at byte {damage.offset}: {printable(damage.why)}"


def _when(instant: int | None) -> str:
    return "" if instant is None else when(instant) or str(instant)
