"""Episodes: what lasts becomes a shortage, what stays away resolves, and nothing flaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

from models.instants import instant_of, moment_of
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Constraint,
    OneMore,
    Resource,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Unit,
    Unplaced,
)
from tests.builders import T0
from twin.episodes import Episodes
from twin.heads import EpisodeHead
from twin.planner import Amount, Shortfall
from twin.rules import Rules

RULES = Rules(open_after=3000, resolve_after=2000)


def bound_by(constraint: str = "accelerators", sites: tuple[str, ...] = (), **said: Any) -> Binding:
    return Binding(constraint=Constraint(constraint), sites=sites, **{"types": (), "summary": "", **said})


def shortfall(
    missing: int = 100,
    demanded: int = 1000,
    scope: str = "p",
    resource: Resource = Accelerators(types=("h100-sxm",)),  # noqa: B008 (frozen)
    projects: tuple[str, ...] = ("p",),
    binding: Binding = bound_by(),  # noqa: B008 (frozen)
    also: tuple[Binding, ...] = (),
) -> Shortfall:
    return Shortfall(
        scope=Scope(kind=ScopeKind.PROJECT, name=scope),
        resource=resource,
        demanded=Amount(demanded, demanded * 1000, demanded * 500),
        missing=Amount(missing, missing * 1000, missing * 500),
        binding=binding,
        projects=projects,
        also=also,
    )


SHORT = {"x": shortfall()}


def story(
    said: str,
    rules: Rules = RULES,
    begun: Episodes | None = None,
    first: int = T0,
    letters: Mapping[str, Shortfall] = SHORT,
) -> list[Shortage]:
    """One tick a letter: `x` where it is short, `.` where it is not, or whatever else the letters say."""
    episodes = begun or Episodes(rules)
    ticks = [(first + 1000 * i, [letters[letter]] if letter in letters else []) for i, letter in enumerate(said)]
    return [event for tick, short in ticks for event in episodes.advance(tick, short)]


def read_back(head: dict[str, Any]) -> dict[str, EpisodeHead]:
    return {key: EpisodeHead.model_validate(one) for key, one in head.items()}


def told(events: list[Shortage]) -> list[tuple[str, int]]:
    return [(event.change.value, (event.at - moment_of(T0)).seconds) for event in events]


@pytest.mark.parametrize(
    ("said", "events"),
    [
        pytest.param("xxx", [], id="one-tick-short-of-open-after"),
        pytest.param("xxxx", [("opened", 3)], id="opens-exactly-after-it"),
        pytest.param("xxxxxxxx", [("opened", 3)], id="is-told-once"),
        pytest.param("xxx.xxx.xxx.", [], id="a-flicker-never-opens"),
        pytest.param("xxx.xxxx", [("opened", 7)], id="what-comes-back-begins-anew"),
        pytest.param("xxxx..", [("opened", 3)], id="one-tick-short-of-resolve-after"),
        pytest.param("xxxx...", [("opened", 3), ("resolved", 6)], id="resolves-exactly-after-it"),
        pytest.param("xxxx..x..x..x", [("opened", 3)], id="what-comes-back-in-time-goes-on-in-silence"),
        pytest.param("xxxx..x...", [("opened", 3), ("resolved", 9)], id="and-its-absence-is-counted-anew"),
        pytest.param("xxxx...xxxx", [("opened", 3), ("resolved", 6), ("opened", 10)], id="after-it-a-new-one-opens"),
    ],
)
def test_an_episode_opens_and_resolves_when_it_has_lasted(said: str, events: list[tuple[str, int]]) -> None:
    assert told(story(said)) == events


def test_with_no_waiting_each_change_is_told_at_once() -> None:
    events = story("x.x.", Rules(open_after=0, resolve_after=0))

    assert told(events) == [("opened", 0), ("resolved", 1), ("opened", 2), ("resolved", 3)]
    assert events[0].id == events[1].id != events[2].id == events[3].id


def test_a_resolved_event_says_since_when_it_is_gone() -> None:
    resolved = story("xxxx...")[-1]

    assert (resolved.status, resolved.sequence) == (Status.RESOLVED, 1)
    assert (resolved.since, resolved.resolved_at, resolved.at) == tuple(
        moment_of(T0 + 1000 * second) for second in (0, 4, 6)
    )


def opened(**said: object) -> Shortage:
    (event,) = Episodes(Rules(open_after=0, unplaced_after=0)).advance(T0, [shortfall(**said)])  # type: ignore[arg-type]
    return event


@pytest.mark.parametrize(
    ("said", "same"),
    [
        pytest.param({"missing": 7}, True, id="how-much-is-missing"),
        pytest.param({"projects": ("q",)}, True, id="projects"),
        pytest.param({"binding": bound_by("power", ("memphis",))}, True, id="what-binds"),
        pytest.param({"scope": "q"}, False, id="scope"),
        pytest.param({"resource": Accelerators(types=("h200-sxm",))}, False, id="types"),
        pytest.param({"resource": Unplaced(types=("h100-sxm",))}, False, id="resource"),
    ],
)
def test_the_id_depends_on_scope_resource_and_beginning_alone(said: dict[str, object], same: bool) -> None:
    (later,) = Episodes(Rules(open_after=0)).advance(T0 + 1000, [shortfall()])

    assert (opened(**said).id == opened().id) == same
    assert later.id != opened().id


def test_a_late_opening_has_the_id_of_its_beginning() -> None:
    assert story("xxxx")[0].id == opened().id


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        pytest.param({"missing": 109}, False, id="less-than-a-tenth-more"),
        pytest.param({"missing": 110}, True, id="a-tenth-more"),
        pytest.param({"missing": 91, "demanded": 900}, False, id="less-than-a-tenth-less"),
        pytest.param({"missing": 90, "demanded": 900}, True, id="a-tenth-less"),
        pytest.param({"demanded": 1001}, True, id="another-severity"),
        pytest.param({"projects": ("p", "q")}, True, id="another-project"),
        pytest.param({"binding": bound_by("whole_nodes")}, True, id="another-constraint"),
        pytest.param({"binding": bound_by(sites=("memphis",))}, True, id="other-sites"),
        pytest.param({"also": (bound_by("power"),)}, True, id="another-constraint-beside-it"),
        pytest.param({"binding": bound_by(summary="other words")}, False, id="other-words"),
        pytest.param({"binding": bound_by(behind=9)}, False, id="what-waits-behind-it"),
        pytest.param(
            {"binding": bound_by(one_more=OneMore(unit=Unit.ACCELERATOR, serves=1))}, False, id="what-one-more-serves"
        ),
    ],
)
def test_only_material_changes_are_told(change: dict[str, object], sent: bool) -> None:
    episodes = Episodes(Rules(open_after=0))
    episodes.advance(T0, [shortfall()])
    events = episodes.advance(T0 + 1000, [shortfall(**change)])  # type: ignore[arg-type]

    assert [(event.change, event.sequence) for event in events] == [(Change.UPDATED, 1)] * sent


def test_small_changes_add_up_until_they_are_told() -> None:
    episodes = Episodes(Rules(open_after=0))
    events = [
        event for i in range(21) for event in episodes.advance(T0 + i * 1000, [shortfall(100 + i, demanded=1000)])
    ]

    assert [(event.sequence, event.missing.accelerators) for event in events] == [(0, 100), (1, 110)]


LESS, MORE, MUCH = shortfall(90, 900), shortfall(110, 1100), shortfall(121, 1210)
POWER, NODES = shortfall(binding=bound_by("power")), shortfall(binding=bound_by("whole_nodes"))
QUOTA = shortfall(also=(bound_by("quota"),))
OTHERS = shortfall(projects=("p", "q"))
MILD, GRAVE, FEW = shortfall(100, 1001), shortfall(100, 200), shortfall(60, 60)
LETTERS = {
    "x": shortfall(),
    "l": LESS,
    "m": MORE,
    "M": MUCH,
    "p": POWER,
    "n": NODES,
    "q": QUOTA,
    "o": OTHERS,
    "i": MILD,
    "g": GRAVE,
    "f": FEW,
}


@pytest.mark.parametrize(
    ("said", "events"),
    [
        pytest.param("xxxxm", [("opened", 3), ("updated", 4)], id="more-is-told-at-once"),
        pytest.param("xxxxmM", [("opened", 3), ("updated", 4), ("updated", 5)], id="each-time"),
        pytest.param("xxxxg", [("opened", 3), ("updated", 4)], id="so-is-a-higher-severity"),
        pytest.param("xxxxlll", [("opened", 3)], id="less-waits"),
        pytest.param("xxxxllll", [("opened", 3), ("updated", 7)], id="and-is-told-once-it-has-lasted"),
        pytest.param("xxxxiiii", [("opened", 3), ("updated", 7)], id="so-does-a-lower-severity"),
        pytest.param("xxxxppp", [("opened", 3)], id="another-constraint-waits"),
        pytest.param("xxxxpppp", [("opened", 3), ("updated", 7)], id="and-is-told-once-it-binds"),
        pytest.param("xxxxqqqq", [("opened", 3), ("updated", 7)], id="so-does-one-beside-it"),
        pytest.param("xxxxoooo", [("opened", 3), ("updated", 7)], id="so-do-projects"),
        pytest.param("xxxxpxpxpxpxpx", [("opened", 3)], id="what-flips-each-tick-is-not-told"),
        pytest.param("xxxxmxmxmxmxmx", [("opened", 3), ("updated", 4)], id="more-and-less-is-told-at-its-worst"),
        pytest.param("xxxxgxgxgxgxgx", [("opened", 3), ("updated", 4)], id="so-is-severity"),
        pytest.param("xxxxfxfxfxfxfx", [("opened", 3), ("updated", 4)], id="even-where-more-is-less-severe"),
        pytest.param("xxxxpnpn", [("opened", 3), ("updated", 7)], id="what-was-told-is-not-wrong-for-longer"),
        pytest.param("xxxxppm", [("opened", 3), ("updated", 6)], id="what-waits-comes-along-with-what-does-not"),
        pytest.param("xxxxpp.pppp", [("opened", 3), ("updated", 10)], id="and-waits-anew-after-a-gap"),
        pytest.param("xxxx.g", [("opened", 3), ("updated", 5)], id="what-comes-back-worse-is-told"),
    ],
)
def test_what_gets_worse_is_told_at_once_and_the_rest_when_it_has_lasted(
    said: str, events: list[tuple[str, int]]
) -> None:
    assert told(story(said, letters=LETTERS)) == events


def test_a_mix_of_more_and_less_waits() -> None:
    """Else two measures that change places would be told every tick."""
    h100, wafers = (
        Shortfall(SHORT["x"].scope, Accelerators(types=()), Amount(999, 999_000, 99), missing, bound_by(), ("p",))
        for missing in (Amount(10, 10_000, 1), Amount(5, 0, 5))
    )

    assert told(story("ab" * 8, letters={"a": h100, "b": wafers})) == [("opened", 3)]


def test_a_shortage_that_changes_what_binds_stays_the_same_episode() -> None:
    opened, updated = story("xxxxpppp", letters=LETTERS)

    assert (opened.id, opened.since) == (updated.id, updated.since)
    assert [event.binding.constraint for event in (opened, updated)] == [Constraint.ACCELERATORS, Constraint.POWER]


def test_what_binds_is_told_whole() -> None:
    binding = bound_by("power", ("memphis",), behind=40, one_more=OneMore(unit=Unit.MEGAWATT, serves=97))
    also = (bound_by("quota", together_with=(Constraint.POWER,)), bound_by("whole_nodes"))
    event = opened(binding=binding, also=also)

    assert (event.binding, event.also) == (binding, also)


@pytest.mark.parametrize(
    ("ticks", "events"),
    [
        pytest.param(4, [], id="one-tick-short"),
        pytest.param(5, [("opened", 4)], id="exactly"),
    ],
)
def test_what_could_be_had_and_is_not_granted_has_a_time_of_its_own(ticks: int, events: list[tuple[str, int]]) -> None:
    rules = Rules(open_after=1000, resolve_after=2000, unplaced_after=4000)
    letters = {"x": shortfall(resource=Unplaced(types=()))}

    assert told(story("x" * ticks, rules, letters=letters)) == events
    assert told(story("xx", rules)) == [("opened", 1)]


@pytest.mark.parametrize(
    ("said", "events"),
    [
        pytest.param("uuuuuvvvv", [("opened", 4)], id="more-waits-for-the-scheduler"),
        pytest.param("uuuuuvvvvv", [("opened", 4), ("updated", 9)], id="and-is-told-once-it-had-its-time"),
        pytest.param("uuuuuvvvuvvv", [("opened", 4)], id="which-begins-anew-when-it-has-granted-some"),
        pytest.param("uuuuuwww", [("opened", 4), ("updated", 7)], id="less-is-told-as-of-anything"),
        pytest.param("uuuuuuuuuuuuu", [("opened", 4), ("updated", 12)], id="age-does-not-wait"),
    ],
)
def test_a_scheduler_has_its_time_for_more_of_what_could_be_had(said: str, events: list[tuple[str, int]]) -> None:
    rules = Rules(open_after=2000, unplaced_after=4000, escalate_after=12_000)
    amounts = {"u": 100, "v": 200, "w": 50}
    letters = {letter: shortfall(amounts[letter], 10_000, resource=Unplaced(types=())) for letter in amounts}

    assert told(story(said, rules, letters=letters)) == events


def test_a_shortage_grows_more_severe_at_the_tick_at_which_it_is_old_enough() -> None:
    events = story("xxxxxxxxx", Rules(open_after=1000, escalate_after=6000))

    assert told(events) == [("opened", 1), ("updated", 6)]
    assert [event.severity for event in events] == [Severity.WARNING, Severity.CRITICAL]


def test_one_that_is_old_enough_when_it_opens_is_so_from_the_first() -> None:
    (event,) = story("xxxxxxxxx", Rules(open_after=3000, escalate_after=2000))

    assert event.severity is Severity.CRITICAL


def test_one_that_comes_of_age_while_it_is_gone_is_told_when_it_is_back() -> None:
    assert told(story("xx...x", Rules(open_after=0, escalate_after=3000))) == [("opened", 0), ("updated", 5)]


def test_served_and_missing_add_up_to_demanded() -> None:
    event = opened(missing=300)

    assert (event.demanded.accelerators, event.served.accelerators, event.missing.accelerators) == (1000, 700, 300)
    assert (event.demanded.h100e, event.served.h100e, event.missing.h100e) == (1000.0, 700.0, 300.0)
    assert (event.demanded.watts, event.served.watts, event.missing.watts) == (500.0, 350.0, 150.0)


def test_episodes_of_different_scopes_and_resources_run_side_by_side() -> None:
    episodes = Episodes(Rules(open_after=0, resolve_after=0))
    three = [shortfall(), shortfall(resource=Accelerators(types=())), shortfall(scope="q")]
    episodes.advance(T0, three)

    assert [event.scope.name for event in episodes.open_shortages] == ["p", "p", "q"]
    assert [event.change for event in episodes.advance(T0 + 1000, three[:2])] == [Change.RESOLVED]


@pytest.mark.parametrize("cut", range(1, 20))
def test_episodes_that_are_restored_go_on_as_if_they_had_not_stopped(cut: int) -> None:
    said = "xx.xxxxxpppp..xx...x"
    before, after = Episodes(RULES), Episodes(RULES)
    events = story(said[:cut], begun=before, letters=LETTERS)
    after.restore(read_back(before.head()))

    assert events + story(said[cut:], begun=after, first=T0 + 1000 * cut, letters=LETTERS) == story(
        said, letters=LETTERS
    )
    assert after.head()  # the last letter is short: something runs


AMOUNTS = st.sampled_from([1, 5, 100, 105, 111, 130, 600, 2000, 20_000])
BINDINGS = st.builds(
    bound_by, st.sampled_from(["power", "quota", "accelerators"]), st.sampled_from([(), ("a",), ("a", "b")])
)
SHORTFALLS = st.builds(
    lambda missing, more, **said: shortfall(missing, missing + more, **said),
    AMOUNTS,
    st.sampled_from([0, 1, 900, 100_000]),
    scope=st.sampled_from("pq"),
    resource=st.sampled_from([Accelerators(types=()), Unplaced(types=())]),
    projects=st.sampled_from([("p",), ("p", "q")]),
    binding=BINDINGS,
    also=st.lists(BINDINGS, max_size=1).map(tuple),
)
TICKS = st.lists(
    st.lists(SHORTFALLS, max_size=3, unique_by=lambda short: (short.scope.name, short.resource.kind)), max_size=15
)
"""Shortfalls of up to four keys, tick by tick."""
DURATIONS = st.integers(0, 5).map(lambda ticks: ticks * 1000)
SOME_RULES = st.builds(
    Rules, open_after=DURATIONS, resolve_after=DURATIONS, unplaced_after=DURATIONS, escalate_after=DURATIONS
)


@st.composite
def stories(draw: st.DrawFn) -> list[list[Shortfall]]:
    """Stretches of ticks: real shortages last, and flicker at their edges."""
    ticks: list[list[Shortfall]] = []
    for some in draw(st.lists(TICKS, min_size=1, max_size=4)):
        ticks += some
        ticks += [draw(st.lists(SHORTFALLS, max_size=1))] * draw(st.integers(0, 12))
    return ticks


def advanced(episodes: Episodes, ticks: Iterable[list[Shortfall]], first: int = 0) -> list[Shortage]:
    return [event for i, short in enumerate(ticks, start=first) for event in episodes.advance(T0 + i * 1000, short)]


def by_key(events: list[Shortage]) -> dict[tuple[str, str], list[Shortage]]:
    found: dict[tuple[str, str], list[Shortage]] = defaultdict(list)
    for event in events:
        found[_of(event.scope, event.resource)].append(event)
    return found


def _of(scope: Scope, resource: Resource) -> tuple[str, str]:
    return scope.name, resource.kind


FOLLOWS = {
    Change.OPENED: {Change.UPDATED, Change.RESOLVED},
    Change.UPDATED: {Change.UPDATED, Change.RESOLVED},
    Change.RESOLVED: {Change.OPENED},
}


@settings(max_examples=100, deadline=None)
@given(stories(), SOME_RULES)
def test_nothing_flaps_whatever_is_short_when(ticks: list[list[Shortfall]], rules: Rules) -> None:
    events = advanced(Episodes(rules), ticks)
    target(float(len(events)))

    for (_, kind), told in by_key(events).items():
        assert told[0].change is Change.OPENED
        for before, after in pairwise(told):
            assert after.change in FOLLOWS[before.change]
            assert (after.id == before.id) == (after.change is not Change.OPENED)
            assert after.sequence == (0 if after.change is Change.OPENED else before.sequence + 1)
        opened = [instant_of(event.at) for event in told if event.change is Change.OPENED]
        open_after = rules.unplaced_after if kind == "unplaced" else rules.open_after
        assert all(after - before >= rules.resolve_after + open_after for before, after in pairwise(opened))


@settings(max_examples=100, deadline=None)
@given(stories(), SOME_RULES)
def test_what_is_told_of_an_open_shortage_is_worse_or_has_lasted(ticks: list[list[Shortfall]], rules: Rules) -> None:
    levels = list(Severity)
    for told in by_key(advanced(Episodes(rules), ticks)).values():
        for before, after in pairwise(told):
            if after.change is Change.UPDATED:
                graver = levels.index(after.severity) - levels.index(before.severity)
                more = after.missing.accelerators > before.missing.accelerators
                lasted = instant_of(after.at) - instant_of(before.at) >= rules.open_after
                assert graver > 0 or (graver == 0 and more) or lasted


@settings(max_examples=100, deadline=None)
@given(stories(), SOME_RULES)
def test_what_is_short_and_told_is_not_wrong_for_longer_than_open_after(
    ticks: list[list[Shortfall]], rules: Rules
) -> None:
    """Of what binds, at least; amounts are told to a tenth."""
    episodes, wrong = Episodes(rules), dict[tuple[str, str], int]()
    for i, short in enumerate(ticks):
        episodes.advance(T0 + i * 1000, short)
        now = {_of(found.scope, found.resource): found for found in short}
        last = {_of(event.scope, event.resource): event for event in episodes.open_shortages}
        for key in now.keys() & last.keys():
            told, found = last[key], now[key]
            same = (told.binding.constraint, told.binding.sites) == (found.binding.constraint, found.binding.sites)
            if same:
                wrong.pop(key, None)
            else:
                assert (i - wrong.setdefault(key, i)) * 1000 < rules.open_after
        for key in wrong.keys() - now.keys():
            del wrong[key]


@settings(max_examples=60, deadline=None)
@given(stories(), SOME_RULES, st.data())
def test_episodes_restored_at_any_tick_tell_what_they_would_have(
    ticks: list[list[Shortfall]], rules: Rules, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(ticks)))
    whole, before, after = Episodes(rules), Episodes(rules), Episodes(rules)
    events = advanced(before, ticks[:cut])
    after.restore(read_back(orjson.loads(orjson.dumps(before.head()))))

    assert after.head() == before.head()
    assert events + advanced(after, ticks[cut:], cut) == advanced(whole, ticks)
    assert after.head() == whole.head()
