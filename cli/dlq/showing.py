"""Dead letters for people and for programs; whatever others wrote is spelt out so that no terminal acts on it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import orjson
from rich import box
from rich.table import Table
from rich.text import Text

from cli.dlq.options import TOPICS
from models.edge import RowRefusal
from models.errors import RecordRefused
from models.instants import moment_of
from models.wording import printable
from streams.letters.again import Judged
from streams.letters.contents import payload_of
from streams.letters.finding import Found, Letter

_SHORT = {topic: short for short, topic in TOPICS.items()}
_LONGEST_DETAIL = 120
_MOST_LINES = 200
"""Of a payload for people."""
_MOST_REFUSED = 20
"""Of one letter, one a line."""


def short_place(place: str) -> str:
    """`telemetry/9/334`."""
    topic, _, rest = place.partition("/")
    return printable(f"{_SHORT.get(topic, topic)}/{rest}")


def letters_table(found: Found) -> Table:
    """One letter a row, oldest first."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("refused at", "place", "site", "reason", "rows", "sent again"):
        table.add_column(name, no_wrap=True)
    table.add_column("detail")
    for letter in found.letters.values():
        again = found.sent_again.get(letter.place, [])
        table.add_row(
            _when(letter.told.at),
            Text(short_place(letter.place)),
            Text(printable(letter.site or "")),
            Text(printable(letter.told.code)),
            f"{letter.told.rows:,}",
            again[-1] if again else "",
            Text(_cut(printable(letter.told.detail))),
        )
    return table


def listed(letter: Letter, again: Sequence[str]) -> dict[str, Any]:
    """One letter for programs, without what its record says."""
    told = letter.told
    return {
        "place": letter.place,
        "topic": told.source_topic,
        "partition": told.source_partition,
        "offset": told.source_offset,
        "refused_at": _when(told.at),
        "code": told.code,
        "detail": told.detail,
        "key": told.key,
        "site": letter.site,
        "refused": told.rows,
        "bytes": told.bytes,
        "sent_again": list(again),
    }


def whole(letter: Letter, again: Sequence[str]) -> dict[str, Any]:
    """One letter with all that can be read of its record; `payload` is what `dlq replay --from` reads."""
    payload, unreadable = _payload(letter)
    headers = [[name, value.decode(errors="backslashreplace")] for name, value in letter.refused.headers]
    rows = [{"row": row.row, "code": row.code, "detail": row.detail} for row in letter.rows]
    said = {**listed(letter, again), "headers": headers, "rows": rows, "payload": payload, "unreadable": unreadable}
    if unreadable is not None:
        said["value_base64"] = base64.b64encode(letter.refused.value or b"").decode()
    return said


def told(letter: Letter, again: Sequence[str]) -> list[str]:
    """The same for people, as lines."""
    lines = [
        f"{short_place(letter.place)}  {printable(letter.told.code)}: {printable(letter.told.detail)}",
        f"  refused at   {_when(letter.told.at)}",
        f"  key          {'none' if letter.told.key is None else printable(letter.told.key)}",
        f"  bytes        {letter.told.bytes:,}",
        f"  sent again   {', '.join(again) or 'never'}",
    ]
    for name, value in letter.refused.headers:
        lines.append(f"  header       {printable(name)}: {printable(value.decode(errors='backslashreplace'))[:200]}")
    lines += _refusals(letter.rows, letter.told.rows)
    payload, unreadable = _payload(letter)
    if unreadable is not None:
        lines.append(f"  cannot be read: {printable(unreadable)}")
        lines.append(f"  {(letter.refused.value or b'')[:200]!r}")
        return lines
    written = orjson.dumps(payload, option=orjson.OPT_INDENT_2).decode().split("\n")
    lines += [f"  {printable(line)}" for line in written[:_MOST_LINES]]
    if len(written) > _MOST_LINES:
        lines.append(f"  ... and {len(written) - _MOST_LINES:,} lines; --json writes all of it")
    return lines


def outcome(judged: Judged, *, dry_run: bool) -> list[str]:
    """What becomes of one letter that is sent again, as lines."""
    sends = "would send" if dry_run else "sent"
    head = f"{short_place(judged.letter.place)}  {sends} {judged.readings:,}, still refused {len(judged.refused):,}"
    return [head, *_refusals(judged.refused, len(judged.refused))]


def refusal(row: RowRefusal) -> dict[str, Any]:
    """For programs."""
    return {"row": row.row, "code": row.code, "detail": row.detail}


def _refusals(rows: Sequence[RowRefusal], count: int) -> list[str]:
    lines = [f"  row {row.row:<8} {printable(row.code)}: {_cut(printable(row.detail))}" for row in rows[:_MOST_REFUSED]]
    if rows and count > len(lines):
        lines.append(f"  ... and {count - len(lines):,} more")
    return lines


def _payload(letter: Letter) -> tuple[Any, str | None]:
    """What the record says, or why that cannot be read; of a frame whose other rows were taken the refused ones."""
    rows = [row.row for row in letter.rows] if letter.partly else None
    try:
        return payload_of(letter.refused, rows), None
    except RecordRefused as refused:
        return None, str(refused)


def _when(at: int) -> str:
    return moment_of(at).isoformat(timespec="seconds").replace("+00:00", "Z")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 3] + "..."
