"""What docs/nodes.md tells node owners is so. Its commands are typed by tests/docs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from models.catalogue import shipped_catalogue
from models.cloudevents import ARROW, EventType
from models.errors import RecordRefused
from models.frame import MOST_BYTES, encode_frame
from models.record import Record
from models.telemetry import Readings, TelemetryDecoder
from tests.builders import CATALOGUE, SITE, T0, Row, clock, frame, json_reading, record, row

PAGE = (Path(__file__).parents[2] / "docs" / "nodes.md").read_text(encoding="utf-8")


def table_of(heading: str) -> list[str]:
    """The first words in code of each line of the table below such a head."""
    below = PAGE.partition(heading)[2].lstrip("\n").partition("\n\n")[0]
    return re.findall(r"^\| `([a-z_]+)` \|", below, re.MULTILINE)


def rows(*some: Row) -> Record:
    return frame([row(), *some])


def reading(**said: Any) -> Record:
    return json_reading(row(**said))


def whole_frame(value: bytes) -> Record:
    return record(value, EventType.FRAME, content_type=ARROW)


REFUSED = {
    "empty": record(None, EventType.READING),
    "undecodable": whole_frame(b"no Arrow"),
    "oversized": whole_frame(b"0" * (MOST_BYTES + 1)),
    "schema": whole_frame(encode_frame(SITE, {"node": ["n0"]})),
    "unknown_event_type": Record("fleet.telemetry.v1", 0, 0, T0, SITE.encode(), b"{}", (("ce_type", b"x"),)),
    "unexpected": record(b"{}", EventType.SITE_FACTS),
    "invalid_reading": reading(utilization=1.5),
    "missing": rows(row("n1", installed=None)),
    "bad_name": rows(row("")),
    "reserved": json_reading(row(), site="fleet"),
    "wrong_key": Record("fleet.telemetry.v1", 0, 0, T0, b"another", reading().value),
    "unknown_type": reading(type="h100-smx"),
    "unknown_state": rows(row("n1", state="asleep")),
    "future": clock(T0 + 61_000, timestamp=T0),
    "out_of_range": rows(row("n1", in_service=9)),
    "not_a_number": rows(row("n1", power_watts=float("nan"))),
    "sentinel": rows(row("n1", power_watts=9.223372036854775e18)),
    "implausible_power": reading(power_watts=1e6),
    "wrong_length": rows(row("n1", accelerator_utilization=[0.5])),
}
"""A record that is refused, or has a row that is, for each reason that the page gives."""


def codes_of(one: Record) -> set[str]:
    try:
        decoded = TelemetryDecoder(CATALOGUE).decode(one)
    except RecordRefused as refused:
        return {refused.code}
    assert isinstance(decoded, Readings)
    return {refusal.code for refusal in decoded.refusals}


def test_the_page_gives_every_reason() -> None:
    assert table_of("| code | why |\n|---|---|") == list(REFUSED)


@pytest.mark.parametrize("code", REFUSED)
def test_a_record_is_refused_for_the_reason_that_the_page_gives(code: str) -> None:
    assert codes_of(REFUSED[code]) == {code}


@pytest.mark.parametrize("module", ["telemetry", "edge", "frame", "cloudevents"])
def test_no_reason_is_left_out(module: str) -> None:
    source = (Path(__file__).parents[2] / "models" / f"{module}.py").read_text(encoding="utf-8")
    given = set(re.findall(r"RecordRefused\(\s*\"([a-z_]+)\"", source))
    given |= set(re.findall(r"_doubt\([^\n]*\"([a-z_]+)\", ", source))
    given |= set(re.findall(r", \"([a-z_]+)\"\),$", source, re.MULTILINE))

    assert given <= REFUSED.keys()


def test_the_page_names_every_type() -> None:
    below = PAGE.partition("## Types")[2].partition("\n\nOthers")[0].rpartition(":\n\n")[2]

    assert tuple(re.findall(r"`([a-z0-9-]+)`", below)) == shipped_catalogue().ids


def test_the_example_of_a_frame_is_taken_in_whole() -> None:
    """Typing the page shows that it arrives; this, that no row of it is refused."""
    import importlib.util
    from datetime import UTC, datetime

    path = Path(__file__).parents[2] / "docs" / "examples" / "publish_frames.py"
    spec = importlib.util.spec_from_file_location("publish_frames", path)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    value = example.frame(SITE, 64, datetime.fromtimestamp(T0 / 1000, UTC))

    decoded = TelemetryDecoder(CATALOGUE).decode(whole_frame(value))

    assert isinstance(decoded, Readings)
    assert decoded.refusals == ()
    assert len(decoded.columns) == 64
    with pa.ipc.open_stream(value) as reader:
        assert reader.schema.metadata == {b"site": SITE.encode()}
