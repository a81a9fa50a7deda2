"""Which events a consumer is told: each once, and episodes from where they are wanted to their end."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.shortage import Accelerators, Power, Scope, ScopeKind, Severity, Shortage
from streams.consumers.choosing import Telling, Wanted
from tests.alerts import resolved, shortage

INFO, WARNING, CRITICAL = Severity


def told(wanted: Wanted, *events: Shortage) -> list[tuple[str, int]]:
    telling = Telling(wanted)
    return [(found.event.id, found.event.sequence) for one in events if (found := telling.take(one)) is not None]


def test_a_repeat_after_a_takeover_is_left_out() -> None:
    sent = [shortage("a", 0), shortage("a", 1), shortage("b", 0), shortage("a", 0), shortage("a", 1), shortage("a", 2)]

    assert told(Wanted(), *sent) == [("a", 0), ("a", 1), ("b", 0), ("a", 2)]


def test_what_has_resolved_does_not_come_back() -> None:
    assert told(Wanted(), shortage("a", 0), resolved("a", 1), shortage("a", 0), resolved("a", 1)) == [
        ("a", 0),
        ("a", 1),
    ]


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        pytest.param(Wanted(), True, id="any"),
        pytest.param(Wanted(scope=ScopeKind.SITE), True, id="its-scope"),
        pytest.param(Wanted(scope=ScopeKind.PROJECT), False, id="another-scope"),
        pytest.param(Wanted(name="memphis"), True, id="its-name"),
        pytest.param(Wanted(name="Memphis"), False, id="another-name"),
        pytest.param(Wanted(resource="accelerators"), True, id="its-resource"),
        pytest.param(Wanted(resource="power"), False, id="another-resource"),
        pytest.param(Wanted(severity=INFO), True, id="less-severe-is-asked-for"),
        pytest.param(Wanted(severity=WARNING), True, id="just-so-severe-is-asked-for"),
        pytest.param(Wanted(severity=CRITICAL), False, id="more-severe-is-asked-for"),
        pytest.param(Wanted(ScopeKind.SITE, "memphis", WARNING, "power"), False, id="all-must-hold"),
    ],
)
def test_an_event_is_wanted_where_all_that_is_asked_for_holds(wanted: Wanted, takes: bool) -> None:
    assert wanted.takes(shortage(severity=WARNING)) == takes


@pytest.mark.parametrize(
    ("severities", "shown"),
    [
        pytest.param([INFO, WARNING, CRITICAL], [2, 3], id="one-that-grows-into-it-is-told-from-then-on"),
        pytest.param([CRITICAL, INFO], [0, 1, 2], id="one-that-eases-is-told-to-its-end"),
        pytest.param([INFO, CRITICAL, WARNING, INFO], [1, 2, 3, 4], id="both"),
        pytest.param([INFO, WARNING], [], id="one-that-never-does-is-not-told-and-nor-is-its-end"),
    ],
)
def test_an_episode_is_told_from_its_first_wanted_event_to_its_end(
    severities: list[Severity], shown: list[int]
) -> None:
    events = [shortage("a", place, severity=severity) for place, severity in enumerate(severities)]
    end = resolved("a", len(severities), severity=severities[-1])

    assert [sequence for _, sequence in told(Wanted(severity=CRITICAL), *events, end)] == shown


def test_what_was_told_last_comes_with_the_next_event() -> None:
    telling = Telling(Wanted(severity=CRITICAL))
    events = [shortage("a", 0, severity=INFO), shortage("a", 1), shortage("a", 2), resolved("a", 3)]
    found = [telling.take(one) for one in events]

    assert [None if one is None else one.before for one in found] == [None, None, events[1], events[2]]
    assert telling.open == {}


RESOURCES = st.sampled_from([Power(), Accelerators(types=())])
SCOPES = st.sampled_from([Scope(kind=kind, name=name) for kind in ScopeKind for name in "xy"])


@st.composite
def episodes(draw: st.DrawFn) -> list[Shortage]:
    """Some episodes, mixed; each begins at 0 and may have resolved."""
    queues = []
    for number in range(draw(st.integers(1, 4))):
        said = {"scope": draw(SCOPES), "resource": draw(RESOURCES)}
        severities = draw(st.lists(st.sampled_from(Severity), min_size=1, max_size=5))
        one = [shortage(str(number), place, severity=worst, **said) for place, worst in enumerate(severities)]
        if draw(st.booleans()):
            one.append(resolved(str(number), len(one), severity=severities[-1], **said))
        queues.append(one)
    order = [number for number, queue in enumerate(queues) for _ in queue]
    draw(st.randoms()).shuffle(order)
    heads = [iter(queue) for queue in queues]
    return [next(heads[number]) for number in order]


WANTED = st.builds(
    Wanted,
    scope=st.none() | st.sampled_from(ScopeKind),
    name=st.none() | st.sampled_from("xy"),
    severity=st.sampled_from(Severity),
    resource=st.none() | st.sampled_from(["power", "accelerators"]),
)


@given(episodes(), WANTED, st.randoms())
def test_repeats_change_nothing_and_every_opening_that_was_told_has_its_end(
    events: list[Shortage], wanted: Wanted, random: Random
) -> None:
    plain = told(wanted, *events)
    begin, end = sorted(random.choices(range(len(events) + 1), k=2))

    assert told(wanted, *events[:end], *events[begin:end], *events[end:]) == plain
    shown = {identity for identity, _ in plain}
    assert shown == {one.id for one in events if wanted.takes(one)}
    for event in events:
        if event.change == "resolved" and event.id in shown:
            assert (event.id, event.sequence) in plain
