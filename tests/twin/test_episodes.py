"""Episodes: what lasts becomes a shortage, what stays away resolves, and nothing flaps."""

from __future__ import annotations

import pytest

from models.instants import moment_of
from models.shortage import Accelerators, Binding, Change, Scope, ScopeKind, Severity, Shortage, Status
from tests.builders import T0
from twin.episodes import Episodes
from twin.planner import Amount, Shortfall
from twin.rules import Rules

RULES = Rules(open_after=3000, resolve_after=2000)


def shortfall(
    missing: int = 100,
    demanded: int = 1000,
    scope: str = "p",
    types: tuple[str, ...] = ("h100-sxm",),
    projects: tuple[str, ...] = ("p",),
    summary: str = "",
) -> Shortfall:
    return Shortfall(
        scope=Scope(kind=ScopeKind.PROJECT, name=scope),
        resource=Accelerators(types=types),
        demanded=Amount(demanded, demanded * 1000, demanded * 500),
        missing=Amount(missing, missing * 1000, missing * 500),
        binding=Binding(constraint="accelerators", sites=(), types=types, summary=summary),
        projects=projects,
    )


def story(said: str, rules: Rules = RULES, begun: Episodes | None = None, first: int = T0) -> list[Shortage]:
    """One tick a letter: `x` where it is short, `.` where it is not."""
    episodes = begun or Episodes(rules)
    ticks = [(first + 1000 * i, [shortfall()] if letter == "x" else []) for i, letter in enumerate(said)]
    return [event for tick, short in ticks for event in episodes.advance(tick, short)]


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
    (event,) = Episodes(Rules(open_after=0)).advance(T0, [shortfall(**said)])  # type: ignore[arg-type]
    return event


@pytest.mark.parametrize(
    ("said", "same"),
    [
        pytest.param({"missing": 7}, True, id="how-much-is-missing"),
        pytest.param({"projects": ("q",)}, True, id="projects"),
        pytest.param({"summary": "else"}, True, id="words"),
        pytest.param({"scope": "q"}, False, id="scope"),
        pytest.param({"types": ("h200-sxm",)}, False, id="resource"),
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
        pytest.param({"summary": "other words"}, False, id="other-words"),
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


@pytest.mark.parametrize(
    ("missing", "severity"),
    [
        pytest.param(99, Severity.INFO, id="below-a-tenth"),
        pytest.param(100, Severity.WARNING, id="a-tenth"),
        pytest.param(499, Severity.WARNING, id="below-a-half"),
        pytest.param(500, Severity.CRITICAL, id="a-half"),
    ],
)
def test_severity_goes_by_the_share_that_is_missing(missing: int, severity: Severity) -> None:
    assert opened(missing=missing).severity is severity


def test_served_and_missing_add_up_to_demanded() -> None:
    event = opened(missing=300)

    assert (event.demanded.accelerators, event.served.accelerators, event.missing.accelerators) == (1000, 700, 300)
    assert (event.demanded.h100e, event.served.h100e, event.missing.h100e) == (1000.0, 700.0, 300.0)
    assert (event.demanded.watts, event.served.watts, event.missing.watts) == (500.0, 350.0, 150.0)


def test_episodes_of_different_scopes_and_resources_run_side_by_side() -> None:
    episodes = Episodes(Rules(open_after=0, resolve_after=0))
    three = [shortfall(), shortfall(types=()), shortfall(scope="q")]
    episodes.advance(T0, three)

    assert [event.scope.name for event in episodes.open_shortages] == ["p", "p", "q"]
    assert [event.change for event in episodes.advance(T0 + 1000, three[:2])] == [Change.RESOLVED]


@pytest.mark.parametrize("cut", range(1, 16))
def test_episodes_that_are_restored_go_on_as_if_they_had_not_stopped(cut: int) -> None:
    said = "xx.xxxxx..xx...x"
    before, after = Episodes(RULES), Episodes(RULES)
    events = story(said[:cut], begun=before)
    after.restore(before.head())

    assert events + story(said[cut:], begun=after, first=T0 + 1000 * cut) == story(said)
    assert after.head()  # the last letter is short: something runs
