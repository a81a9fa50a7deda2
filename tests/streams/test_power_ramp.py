"""Supply that arrives in stages: power is named as what is short, with the megawatts, until the last stage is there."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from models.catalogue import shipped_catalogue
from models.instants import instant_of
from models.record import Outgoing, Record
from models.scenario import load_scenario
from models.shortage import Change, Constraint, Severity, Shortage
from models.state import FleetState, SiteState
from models.telemetry import Readings, TelemetryDecoder
from models.topics import SHORTAGES, STATE, TELEMETRY
from streams.simulator.clocks import clocked
from streams.simulator.telemetry import telemetry
from twin.offline import OfflineTwin
from twin.rules import Rules

CATALOGUE = shipped_catalogue()
SCENARIO = load_scenario("colossus-ramp")
SITE = SCENARIO.sites["colossus"]
START = 1_800_000_000_000
SECONDS = 150
STAGES = {0: 8_000_000, 60: 50_000_000, 120: 150_000_000}
"""Watts from each second on."""
RULES = Rules()


@dataclass
class Nodes:
    """What the nodes said last, summed without the twin."""

    said: dict[str, tuple[float, int]] = field(default_factory=dict)
    """By node: watts, free accelerators."""
    decoder: TelemetryDecoder = field(default_factory=lambda: TelemetryDecoder(CATALOGUE))

    def hear(self, record: Record) -> None:
        readings = self.decoder.decode(record)
        if isinstance(readings, Readings):
            columns = readings.columns
            names = [columns.roster.nodes[i] for i in columns.who.tolist()]
            free = (columns.in_service - columns.allocated).tolist()
            self.said |= zip(names, zip((columns.power / 1000).tolist(), free, strict=True), strict=True)

    @property
    def watts(self) -> float:
        """What the site draws, facility and all."""
        return sum(watts for watts, _ in self.said.values()) * SITE.pue

    @property
    def whole_free(self) -> int:
        """Free accelerators on nodes that are free as a whole."""
        return sum(free for _, free in self.said.values() if free == 8)


@dataclass
class Story:
    """What was told, and at each second what it should rest upon."""

    events: list[Shortage] = field(default_factory=list)
    sites: dict[int, SiteState] = field(default_factory=dict)
    fleets: dict[int, FleetState] = field(default_factory=dict)
    watts: dict[int, float] = field(default_factory=dict)
    whole_free: dict[int, int] = field(default_factory=dict)

    def take(self, output: Outgoing) -> None:
        value = output.value or b""
        if output.topic == SHORTAGES:
            self.events.append(Shortage.model_validate_json(value))
        elif output.topic == STATE and output.key == b"fleet":
            fleet = FleetState.model_validate_json(value)
            self.fleets[second_of(fleet.tick)] = fleet
        elif output.topic == STATE:
            site = SiteState.model_validate_json(value)
            self.sites[second_of(site.tick)] = site

    def of(self, name: str, resource: str) -> list[Shortage]:
        return [event for event in self.events if (event.scope.name, event.resource.kind) == (name, resource)]


def second_of(moment: object) -> int:
    return (instant_of(moment) - START) // 1000  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def story() -> Story:
    story, nodes, twin = Story(), Nodes(), OfflineTwin(RULES, CATALOGUE, 1)
    offsets: dict[str, int] = {}
    for step in clocked(telemetry(SCENARIO, START, seconds=SECONDS), partitions=1):
        if step.closing:
            break
        for sent in step.records:
            offset = offsets[sent.topic] = offsets.get(sent.topic, -1) + 1
            record = Record(sent.topic, 0, offset, step.at, sent.key, sent.value, sent.headers)
            if sent.topic == TELEMETRY:
                nodes.hear(record)
            for output in twin.fold(record):
                story.take(output)
        second = (step.at - START) // 1000
        story.watts[second], story.whole_free[second] = nodes.watts, nodes.whole_free
    return story


def supply(second: int) -> int:
    return STAGES[max(begun for begun in STAGES if begun <= second)]


def work_adds() -> float:
    """Facility watts that training on one more H100 adds: what it draws itself and its part of its host."""
    h100 = CATALOGUE["h100-sxm"]
    load = (h100.typical_watts - h100.idle_watts) / (h100.max_watts - h100.idle_watts)
    host = load * (h100.host_max_watts - h100.host_idle_watts) / 8
    return (h100.typical_watts - h100.idle_watts + host) * SITE.pue


def missing_watts(story: Story, second: int) -> float:
    """For work on every node that is on, whole and free, of those that the demand waits for."""
    return story.whole_free[second] * work_adds() - (supply(second) - story.watts[second])


def test_the_story_is_physical(story: Story) -> None:
    """The site never draws more than its supply, and what is on and idle could not all work until the last stage."""
    assert max(story.watts[second] / supply(second) for second in story.watts) < 1
    assert [missing_watts(story, second) > 0 for second in (10, 59, 70, 119, 121)] == [True] * 4 + [False]
    assert 100_000 * work_adds() + 12_500 * 2176 * SITE.pue < 150e6


def test_power_at_the_site_is_one_episode_until_the_last_supply_arrives(story: Story) -> None:
    opened, *updated, resolved = story.of("colossus", "power")

    assert (opened.change, resolved.change) == (Change.OPENED, Change.RESOLVED)
    assert {event.change for event in updated} == {Change.UPDATED}
    assert {event.id for event in (opened, *updated, resolved)} == {opened.id}
    assert second_of(opened.at) < 15
    assert any(60 <= second_of(event.at) < 70 for event in updated)
    assert second_of(resolved.resolved_at) == 120
    assert second_of(resolved.at) == 120 + RULES.resolve_after // 1000


def test_it_names_power_there_and_the_missing_megawatts(story: Story) -> None:
    *told, _ = story.of("colossus", "power")

    for event in told:
        assert (event.scope.kind, event.binding.constraint, event.binding.sites) == ("site", "power", ("colossus",))
        assert event.missing.watts == pytest.approx(missing_watts(story, second_of(event.at)), rel=1e-3)
        assert event.projects == ("grok",)
    assert [event.severity for event in (told[0], told[-1])] == [Severity.WARNING, Severity.CRITICAL]


def test_no_megawatts_are_told_that_were_long_over(story: Story) -> None:
    """Whatever was told last is within a tenth of what is missing, but for the seconds in which less is waited for."""
    *told, _ = story.of("colossus", "power")
    for second in range(second_of(told[0].at), 120):
        last = [event for event in told if second_of(event.at) <= second][-1]
        if not 60 <= second < 66:
            assert last.missing.watts == pytest.approx(missing_watts(story, second), rel=0.1)


def test_the_project_is_short_of_accelerators_because_of_power(story: Story) -> None:
    opened, *updated, resolved = story.of("grok", "accelerators")

    assert {event.binding.constraint for event in (opened, *updated)} == {Constraint.POWER}
    assert {event.binding.sites for event in (opened, *updated)} == {("colossus",)}
    assert [second_of(event.at) >= 60 for event in updated]
    assert (resolved.change, second_of(resolved.resolved_at)) == (Change.RESOLVED, 120)
    for event in (opened, *updated):
        second = second_of(event.at)
        could = (supply(second) - story.watts[second]) / work_adds()
        pending = story.fleets[second].pending
        assert event.missing.accelerators == pytest.approx(pending - could, abs=8)


def test_the_twin_sees_what_the_nodes_say(story: Story) -> None:
    for second in range(1, SECONDS):
        facility = story.sites[second].power.facility
        assert facility == pytest.approx(story.watts[second], rel=1e-6)
