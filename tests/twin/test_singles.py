"""Single readings in the twin: a record of one says what a frame of one row says, wherever a log is cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.record import Outgoing, Record
from tests.builders import CATALOGUE, SITE, T0, Row, clock, frame, json_reading, numbered, of_each, row
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules()

LISTS = st.sampled_from(
    (
        {},
        {},
        of_each(4, utilization=(0.5, 1.0)),
        of_each(4, utilization=(0.25, None), power_watts=(100.0,)),
        of_each(4, utilization=(None,)),
        of_each(4, memory_used_bytes=(7,), temperature_celsius=(40.0, 41.5)),
    )
)
ROWS = st.builds(
    lambda node, at, sequence, said, lists: row(node, T0 + at, sequence, installed=4, in_service=4, **said, **lists),
    st.sampled_from("abc"),
    st.sampled_from((-900, -1, 0, 1, 250, 1000, 1001, 1999, 2500)),
    st.integers(0, 2),
    st.fixed_dictionaries(
        {},
        optional={
            "power_watts": st.sampled_from((0.0, 1000.5, 3000.0)),
            "utilization": st.sampled_from((0.0, 0.5)),
            "allocated": st.integers(0, 4),
            "rack": st.sampled_from(("r1", "r2")),
            "state": st.sampled_from(("in_service", "failed")),
            "type": st.sampled_from(("h100-sxm", "h200-sxm")),
        },
    ),
    LISTS,
)
"""Few nodes and instants, so that repeats, ties, and readings late and early are common."""


@dataclass(frozen=True)
class Single:
    """A reading in a record of its own."""

    said: Row
    site: str


Step = Single | Record
STEPS = st.lists(
    st.builds(Single, ROWS, st.sampled_from((SITE, "abilene")))
    | st.builds(Single, ROWS, st.just(SITE))
    | st.builds(frame, st.lists(ROWS, min_size=1, max_size=4))
    | st.builds(lambda seconds: clock(T0 + seconds * 1000 + RULES.grace), st.integers(-1, 4)),
    max_size=14,
)


def as_json(step: Step) -> Record:
    return json_reading(step.said, step.site) if isinstance(step, Single) else step


def as_frame(step: Step) -> Record:
    return frame([step.said], step.site) if isinstance(step, Single) else step


def folded(records: list[Record], cuts: frozenset[int] = frozenset()) -> tuple[list[Outgoing], bytes, dict[str, Any]]:
    """What comes out, and what is known in the end; before the records at `cuts` the twin is stored and restored."""
    machine, outputs = TelemetryMachine(0, 1, RULES, CATALOGUE), list[Outgoing]()
    for place, one in enumerate(numbered(records)):
        if place in cuts:
            stored, machine = machine.snapshot(), TelemetryMachine(0, 1, RULES, CATALOGUE)
            machine.restore(stored)
        outputs += machine.fold(one)
    return outputs, machine.snapshot(), machine.digests()


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_a_reading_in_json_and_a_frame_of_one_row_make_the_same_twin(steps: list[Step]) -> None:
    """The bytes of the state too, with all counts: of late readings, repeated ones, superseded ones."""
    assert folded([as_json(step) for step in steps]) == folded([as_frame(step) for step in steps])


@settings(max_examples=75, deadline=None)
@given(steps=STEPS, cuts=st.frozensets(st.integers(0, 13)))
def test_a_twin_may_be_stored_and_restored_between_any_two_readings(steps: list[Step], cuts: frozenset[int]) -> None:
    records = [as_json(step) for step in steps]

    assert folded(records, cuts) == folded(records)


@settings(max_examples=50, deadline=None)
@given(steps=STEPS)
def test_to_look_at_what_is_held_changes_nothing(steps: list[Step]) -> None:
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    for one in numbered(map(as_json, steps)):
        machine.fold(one)
        assert machine.digests() == machine.digests()
        assert machine.snapshot() == machine.snapshot()

    assert machine.snapshot() == folded([as_json(step) for step in steps])[1]
