"""Records: what the twin's edge reads of them is what was told, and each has one name for ever."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cloudevents import EventType
from models.columns import ReadingColumns
from models.meter_reading import MeterReading
from models.node_event import NodeEvent
from models.record import Record
from models.single import SingleReading
from models.telemetry import Readings, TelemetryDecoder
from models.topics import EVENTS, TELEMETRY
from streams.publish.folding import Told
from streams.publish.measures import AcceleratorMeasure, Identity, MeterLevel, MeterMeasure, NodeMeasure, Sampled
from streams.publish.parcels import Parcel, parcels_of
from tests.builders import CATALOGUE, SITE, T0
from tests.publish_fakes import accelerators, folding, node

PUBLISHER = "fake/memphis/n1"


def told_of(*nodes: NodeMeasure, meters: tuple[MeterMeasure, ...] = ()) -> Told:
    return folding().fold(Sampled(nodes, meters), T0)


def parcels(told: Told) -> list[Parcel]:
    return list(parcels_of(told, PUBLISHER))


def named(parcel: Parcel, header: str) -> str:
    return dict(parcel.headers)[header].decode()


def decoded(parcel: Parcel) -> ReadingColumns:
    """What the edge makes of it; it must refuse nothing."""
    record = Record(parcel.topic, 0, 0, T0, parcel.key, parcel.value, parcel.headers)
    found = TelemetryDecoder(CATALOGUE).decode(record)
    if isinstance(found, Readings):
        assert found.refusals == ()
    assert isinstance(found, Readings | SingleReading)
    return found.columns


def many(count: int, site: str = SITE, **said: Any) -> list[NodeMeasure]:
    return [node(Identity(site, f"n{number:06d}"), **said) for number in range(count)]


def test_one_reading_is_json_and_names_itself() -> None:
    (parcel,) = parcels(told_of(node(power_watts=5000.0)))

    assert (parcel.topic, parcel.key, parcel.readings) == (TELEMETRY, SITE.encode(), 1)
    assert named(parcel, "ce_type") == EventType.READING
    assert named(parcel, "ce_source") == f"//fleettwin/publish/{PUBLISHER}"
    assert orjson.loads(parcel.value)["power_method"] == "instantaneous"
    assert decoded(parcel).power.tolist() == [5_000_000]


def test_many_readings_of_a_site_are_one_frame() -> None:
    measured = accelerators(utilization=0.25, temperature_celsius=50.0, memory_used_bytes=7)

    (parcel,) = parcels(told_of(*many(300, accelerators=measured, power_watts=4000.0)))

    assert (parcel.readings, named(parcel, "ce_type")) == (300, EventType.FRAME)
    columns = decoded(parcel)
    assert len(columns) == 300
    assert set(columns.utilization.tolist()) == {250_000}
    assert set(columns.memory_used.tolist()) == {56}
    assert columns.accelerators is not None


def test_sites_are_told_apart() -> None:
    some = parcels(told_of(*many(3), *many(1, "abilene"), *many(2, "austin")))

    assert [(one.key, one.readings) for one in some] == [(b"memphis", 3), (b"abilene", 1), (b"austin", 2)]


def test_a_frame_of_too_many_rows_is_split() -> None:
    (reading,) = told_of(node()).readings

    some = parcels(Told((reading,) * 65_537))

    assert sum(one.readings for one in some) == 65_537
    assert len(some) == 2


def test_a_frame_of_too_many_bytes_is_split() -> None:
    wide = accelerators(1024, utilization=0.5, power_watts=9.0, memory_used_bytes=7, temperature_celsius=50.0)

    some = parcels(told_of(*many(240, installed=1024, accelerators=wide)))

    assert max(len(one.value) for one in some) <= 4 * 1024 * 1024
    assert sum(len(decoded(one)) for one in some) == 240
    assert len({named(one, "ce_id") for one in some}) == len(some) == 2


def test_events_and_meters_go_to_a_topic_of_their_own() -> None:
    hot = (AcceleratorMeasure(xid=31), *accelerators(7))
    meter = MeterMeasure(SITE, "pdu-1", MeterLevel.PDU, T0, 4000.0)

    _, event, metered = parcels(told_of(node(accelerators=hot), meters=(meter,)))

    assert (event.topic, metered.topic, event.key, metered.key) == (EVENTS, EVENTS, SITE.encode(), SITE.encode())
    assert (event.readings, metered.readings) == (0, 0)
    assert NodeEvent.model_validate_json(event.value).code == 31
    assert MeterReading.model_validate_json(metered.value).power_watts == 4000.0
    assert [named(one, "ce_type") for one in (event, metered)] == [EventType.NODE_EVENT, EventType.METER_READING]


def test_nothing_told_is_nothing_sent() -> None:
    assert parcels(told_of()) == []


def test_the_same_beat_gives_the_same_records() -> None:
    told = told_of(*many(3), node())

    assert parcels(told) == parcels(told)


ANY = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 0.5, 1.0, 600.0, 9.223372036854775e18])
WHOLE = st.integers(-(2**64), 2**64)
MEASURED = st.builds(
    AcceleratorMeasure,
    power_watts=st.none() | ANY,
    energy_joules=st.none() | ANY,
    utilization=st.none() | ANY,
    sm_active=st.none() | ANY,
    memory_used_bytes=st.none() | WHOLE,
    temperature_celsius=st.none() | ANY,
    fault=st.none() | st.text(max_size=3),
    xid=st.none() | WHOLE,
)
NODES = st.builds(
    node,
    st.builds(Identity, st.just(SITE), st.text(max_size=4), st.none() | st.text(max_size=3)),
    st.integers(-10, T0 + 120_000),
    st.integers(-1, 4),
    st.sampled_from(["h100-sxm", "a100-sxm", "no-such"]),
    accelerators=st.lists(MEASURED, max_size=4).map(tuple),
    power_watts=st.none() | ANY,
    energy_joules=st.none() | ANY,
    allocated=st.none() | WHOLE,
)


@settings(max_examples=50, deadline=None)
@given(beats=st.lists(st.lists(NODES, max_size=4), min_size=1, max_size=3))
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_whatever_a_source_says_the_edge_refuses_nothing_of_it(beats: list[list[NodeMeasure]]) -> None:
    folds = folding()
    for beat in beats:
        told = folds.fold(Sampled(tuple(beat)), T0)
        sent = [one for one in parcels(told) if one.topic == TELEMETRY]

        assert sum(len(decoded(one)) for one in sent) == len(told.readings)
