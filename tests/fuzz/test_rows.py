"""Of a frame with some bad rows all others are kept, and exactly the bad ones are told, whatever is wrong with them."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.telemetry import Readings, TelemetryDecoder
from tests.builders import CATALOGUE, SITE, T0, Row, frame, row
from tests.fuzz.checking import check_letters, check_rows
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

BAD: dict[str, st.SearchStrategy[Any]] = {
    "node": st.sampled_from((None, "", "a\nb", "\x1b[31m", "x" * 129)),
    "type": st.sampled_from((None, "", "h100", "H100-SXM", "gb200'; --")),
    "at": st.integers(-(2**62), -1) | st.integers(T0 + 60_001, 2**62) | st.none(),
    "sequence": st.integers(-(2**63), -1) | st.none(),
    "installed": st.integers(-32768, 0) | st.integers(1025, 32767) | st.none(),
    "in_service": st.integers(-32768, -1) | st.integers(9, 32767) | st.none(),
    "allocated": st.integers(-32768, -1) | st.integers(9, 32767),
    "power_watts": st.floats(max_value=-0.0009765625, width=32)
    | st.floats(min_value=12_751, width=32)
    | st.just(float("nan")),
    "utilization": st.floats(max_value=-0.0009765625, width=32) | st.floats(min_value=1.0009765625, width=32),
    "sm_active": st.sampled_from((float("nan"), float("inf"), float("-inf"), 43.0)),
    "memory_used_bytes": st.integers(2**53 + 2, 2**63 - 1) | st.integers(-(2**63), -1),
    "temperature_celsius": st.floats(min_value=200.5, width=32) | st.floats(max_value=-60.5, width=32),
    "state": st.sampled_from(("melted", "", "IN_SERVICE")),
    "accelerator_power_watts": st.sampled_from(([], [1.0] * 7, [1.0] * 9, [1.0] * 7 + [-1.0], [float("nan")] * 8)),
}
"""Values with which a row of eight accelerators is bad, by column."""

GOOD: dict[str, st.SearchStrategy[Any]] = {
    "power_watts": st.none() | st.floats(0, 12_750, width=32),
    "allocated": st.none() | st.integers(0, 8),
    "utilization": st.none() | st.floats(0, 1, width=32),
    "temperature_celsius": st.none() | st.floats(-60, 200, width=32),
    "memory_used_bytes": st.none() | st.integers(0, 2**53),
    "at": st.integers(0, T0 + 60_000),
    "state": st.none() | st.sampled_from(("failed", "in_service")),
    "accelerator_power_watts": st.none() | st.lists(st.none() | st.floats(0, 1e9, width=32), min_size=8, max_size=8),
}


@st.composite
def mixed(draw: st.DrawFn) -> tuple[list[Row], list[bool]]:
    """Rows, and which of them are bad."""
    rows, bad = [], []
    for number in range(draw(st.integers(1, 12))):
        said: Row = {name: draw(values) for name, values in GOOD.items() if draw(st.booleans())}
        wrong = draw(st.sets(st.sampled_from(sorted(BAD)), max_size=3))
        rows.append(row(f"n{number}", **said) | {name: draw(BAD[name]) for name in wrong})
        bad.append(bool(wrong))
    return rows, bad


@settings(max_examples=400, deadline=None)
@given(mixed())
def test_the_good_rows_are_kept_and_exactly_the_bad_ones_are_told(drawn: tuple[list[Row], list[bool]]) -> None:
    rows, bad = drawn
    record = frame(rows, timestamp=T0)
    found = TelemetryDecoder(CATALOGUE).decode(record)
    assert isinstance(found, Readings)

    check_rows(record, found)
    assert [refusal.row for refusal in found.refusals] == [number for number, wrong in enumerate(bad) if wrong]

    machine = TelemetryMachine(0, 1, Rules(), CATALOGUE)
    told = check_letters(record, machine.fold(record))
    site = machine.sites.get(SITE)
    kept = 0 if site is None else site.observed
    assert (kept, told) == (len(rows) - sum(bad), sum(bad))
