"""The compacted view: what is open now, and nothing of what has resolved."""

from __future__ import annotations

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from models.record import Outgoing
from models.topics import DEMAND, OPEN_SHORTAGES, SHORTAGES, SITES, TELEMETRY
from tests.builders import CATALOGUE, T0, clock, demand, ended, facts, frame, numbered, row
from twin.offline import OfflineTwin
from twin.rules import Rules

RULES = Rules(open_after=0, resolve_after=0, unplaced_after=0)


def told(changes: list[tuple[int, int]], seconds: int = 12) -> list[Outgoing]:
    """What a site of eight accelerators says while projects ask for so many at these seconds; 0 asks no more."""
    records = [facts("memphis", T0)]
    for second in range(seconds):
        now = T0 + second * 1000
        records += [
            demand(f"d{wanted % 3}", now, wanted=wanted, project=f"p{wanted % 3}") if wanted else ended("d1", now)
            for at, wanted in changes
            if at == second
        ]
        records += [
            frame([row("n0", now, second, allocated=0)]),
            *(clock(now + RULES.grace, topic) for topic in (TELEMETRY, SITES, DEMAND)),
        ]
    twin = OfflineTwin(RULES, CATALOGUE, 1)
    return [output for one in numbered(records) for output in twin.fold(one)]


def test_every_event_is_the_last_word_of_its_episode_and_a_resolution_removes_it() -> None:
    outputs = told([(1, 40), (6, 0)])
    events = [output for output in outputs if output.topic == SHORTAGES]
    words = [output for output in outputs if output.topic == OPEN_SHORTAGES]

    assert {orjson.loads(event.value or b"")["change"] for event in events} >= {"opened", "resolved"}
    assert [(word.key, word.identity, word.headers) for word in words] == [
        (event.key, event.identity, event.headers) for event in events
    ]
    for event, word in zip(events, words, strict=True):
        resolved = orjson.loads(event.value or b"")["status"] == "resolved"
        assert word.value == (None if resolved else event.value)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 60)), max_size=8))
def test_what_stands_on_the_topic_is_what_is_open(changes: list[tuple[int, int]]) -> None:
    newest: dict[str, str] = {}
    view: dict[str, bytes] = {}
    for output in told(changes):
        key = (output.key or b"").decode()
        if output.topic == SHORTAGES:
            newest[key] = orjson.loads(output.value or b"")["status"]
        elif output.topic == OPEN_SHORTAGES and output.value is None:
            view.pop(key, None)
        elif output.topic == OPEN_SHORTAGES and output.value is not None:
            view[key] = output.value

    assert set(view) == {key for key, status in newest.items() if status == "open"}
