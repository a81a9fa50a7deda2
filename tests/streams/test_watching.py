"""What followers of the fleet's topics make of them: the watch, the store's gathering, and the verifier's tallies."""

from __future__ import annotations

import pytest

from models.cloudevents import EventType
from models.errors import RecordRefused
from models.instants import moment_of
from models.record import Record
from models.shortage import (
    Binding,
    Change,
    Constraint,
    Power,
    Quantity,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Unplaced,
)
from models.topics import NODES, SHORTAGES, STATE
from streams.consumers.watching import FleetWatch, Percentiles
from streams.workers.gathering import MOST_BYTES, Gathering
from tests.builders import CATALOGUE, SITE, T0, clock, folded, frame, record, row, view
from twin.rules import Rules
from twin.states import fleet_state, site_state
from twin.telemetry import TelemetryMachine
from twin.tenants import Claims


def event(sequence: int, change: Change = Change.UPDATED, id_: str = "i", since: int = T0) -> Shortage:
    return Shortage(
        id=id_,
        sequence=sequence,
        change=change,
        status=Status.RESOLVED if change is Change.RESOLVED else Status.OPEN,
        severity=Severity.INFO,
        scope=Scope(kind=ScopeKind.SITE, name=SITE),
        resource=Power(),
        demanded=Quantity(),
        served=Quantity(),
        missing=Quantity(),
        binding=Binding(constraint="power", sites=(), types=(), summary=""),
        since=moment_of(since),
        at=moment_of(T0),
        projects=(),
    )


def told(one: Shortage) -> Record:
    return record(one.model_dump_json().encode(), EventType.SHORTAGE, SHORTAGES)


def site(second: int = 0, stored_after: int = 700, name: str = SITE) -> Record:
    tick = T0 + second * 1000
    state = site_state(view(name, free=second), tick, CATALOGUE, 0)
    return record(state.model_dump_json().encode(), EventType.SITE_STATE, STATE, timestamp=tick + stored_after)


def fleet(second: int = 0, observed: int = 0) -> Record:
    state = fleet_state([view()], T0 + second * 1000, CATALOGUE, Claims(), 0)
    counted = state.model_copy(update={"intake": state.intake.model_copy(update={"observed": observed})})
    return record(counted.model_dump_json().encode(), EventType.FLEET_STATE, STATE)


def watched(*records: Record) -> FleetWatch:
    watch = FleetWatch()
    for one in records:
        watch.take(one)
    return watch


def test_the_newest_state_of_a_site_stands_and_repeats_change_nothing() -> None:
    watch = watched(site(1), site(2), site(1), site(2))

    assert (watch.sites[SITE].free, watch.site_states) == (2, 2)


def test_the_delay_is_from_the_end_of_a_tick_to_its_state_being_stored() -> None:
    watch = watched(*(site(second, 100 * second) for second in range(101)))

    assert watch.delays() == Percentiles(5.0, 9.9)
    assert watch.delays(last=1) == Percentiles(10.0, 10.0)
    assert FleetWatch().delays() == Percentiles(None, None)


def test_the_rate_is_in_seconds_of_event_time() -> None:
    assert watched(fleet(0, 100), fleet(4, 300), fleet(4, 999)).rate == 50.0


def test_an_episode_is_counted_once_however_often_its_events_come() -> None:
    opened, updated, resolved = event(0, Change.OPENED), event(1), event(2, Change.RESOLVED)
    watch = watched(*map(told, (opened, opened, updated, opened, resolved, updated)))

    assert (watch.opened, watch.resolved, watch.open_shortages) == (1, 1, [])


def test_open_shortages_stand_the_oldest_first() -> None:
    events = [event(0, Change.OPENED, "b", T0), event(0, Change.OPENED, "a", T0), event(0, Change.OPENED, "c", T0 - 1)]

    assert [one.id for one in watched(*map(told, events)).open_shortages] == ["c", "a", "b"]


def test_episodes_are_counted_by_what_is_short_and_what_bound_last() -> None:
    quota = event(0).binding.model_copy(update={"constraint": Constraint.QUOTA})
    unplaced = event(0, Change.OPENED, "k").model_copy(update={"resource": Unplaced(types=())})
    events = [
        event(0, Change.OPENED),
        event(1).model_copy(update={"binding": quota}),
        event(0, Change.OPENED, "j"),
        event(1, Change.RESOLVED, "j"),
        unplaced.model_copy(update={"binding": quota.model_copy(update={"constraint": Constraint.SCHEDULER})}),
    ]

    assert watched(*map(told, events)).by_kind == {"power": {"power": 1, "quota": 1}, "unplaced": {"scheduler": 1}}
    assert FleetWatch().by_kind == {}


@pytest.mark.parametrize("kind", [pytest.param(b"x", id="another-type"), pytest.param(b"\xff", id="not-utf-8")])
def test_what_the_watch_does_not_know_says_nothing(kind: bytes) -> None:
    assert watched(Record(STATE, 0, 0, T0, None, b"{}", (("ce_type", kind),))) == FleetWatch()


def node_frame() -> Record:
    machine = TelemetryMachine(0, 1, Rules(), CATALOGUE)
    outputs = folded(machine, [frame([row()]), clock(T0 - 500), clock(T0 + Rules().node_interval - 500)])
    (output,) = [output for output in outputs if output.topic == NODES]
    return Record(NODES, 3, 41, T0, output.key, output.value, output.headers)


def test_what_is_gathered_is_kept_by_kind_and_its_offsets_with_it() -> None:
    gathering = Gathering()
    for one in (site(), fleet(), told(event(0)), node_frame()):
        gathering.add(one)
    batch = gathering.batch()

    assert [len(rows) for rows in (batch.sites, batch.fleet, batch.shortages, batch.nodes)] == [1, 1, 1, 1]
    assert gathering.positions() == {(STATE, 0): 1, (SHORTAGES, 0): 1, (NODES, 3): 42}
    assert (gathering.records, gathering.full) == (4, False)


@pytest.mark.parametrize(
    ("one", "code"),
    [
        pytest.param(record(b"{}", EventType.CLOCK, STATE), "unexpected", id="another-type"),
        pytest.param(record(b"{}", EventType.SITE_STATE, STATE), "undecodable", id="not-what-it-says"),
        pytest.param(record(None, EventType.SHORTAGE, STATE), "undecodable", id="a-tombstone"),
        pytest.param(record(b"x", EventType.NODE_FRAME, STATE), "undecodable", id="no-frame"),
        pytest.param(Record(STATE, 0, 0, T0, None, b"{}"), "unexpected", id="without-headers"),
        pytest.param(Record(STATE, 0, 0, T0, None, b"", (("ce_type", b"\xff"),)), "unexpected", id="type-not-utf-8"),
    ],
)
def test_what_is_none_of_ours_is_refused_and_counts_as_read(one: Record, code: str) -> None:
    gathering = Gathering()
    with pytest.raises(RecordRefused) as refused:
        gathering.add(one)

    assert refused.value.code == code
    assert gathering.positions() == {(STATE, 0): 1}


def test_reading_stops_when_too_much_waits_to_be_written() -> None:
    gathering = Gathering()
    with pytest.raises(RecordRefused):
        gathering.add(record(bytes(MOST_BYTES), EventType.CLOCK, STATE))

    assert gathering.full
