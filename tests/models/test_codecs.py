"""What crosses a topic comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, ValidationError

from models.demand import DemandEnded, DemandRevised
from models.errors import RecordRefused
from models.facts import SiteFacts
from models.frame import COLUMNS, encode_frame, read_frame
from models.instants import LAST, instant_of, moment_of, tick_at_or_after, tick_at_or_before
from models.ledger import (
    LEDGER_RECORD,
    Admitted,
    AdmittedClock,
    AdmittedEnd,
    AdmittedTenant,
    Away,
    Back,
    Samples,
    Source,
)
from models.node_frame import ADDED, encode_node_frame, read_node_frame
from models.node_frame import COLUMNS as NODE_COLUMNS
from models.reading import Reading
from models.sample import SiteSample
from models.shortage import Shortage
from models.state import FleetState, SiteState
from models.tenant import Quota, TenantRevised

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
INSTANTS = st.integers(0, LAST)
MOMENTS = INSTANTS.map(moment_of)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


COUNTS = st.integers(0, 2**40)

for kind, strategy in ((AwareDatetime, MOMENTS), (datetime, MOMENTS), (float, FLOATS), (int, COUNTS)):
    st.register_type_strategy(kind, strategy)


@settings(max_examples=15, deadline=None)
@pytest.mark.filterwarnings("ignore:Ignoring unsupported FailFast")  # what is right is the same with it
@pytest.mark.parametrize("model", [SiteState, FleetState, Shortage, SiteSample, Samples])
@given(sampled=st.data())
def test_states_shortages_and_samples_come_back_as_they_were(model: type[BaseModel], sampled: st.DataObject) -> None:
    said = sampled.draw(st.from_type(model))

    assert model.model_validate_json(said.model_dump_json()) == said


QUOTAS = st.builds(
    Quota,
    types=st.lists(NAMES, max_size=3, unique=True).map(tuple),
    deserved=st.none() | st.integers(0, 100),
    limit=st.integers(100, 100_000_000),
)


@settings(max_examples=60, deadline=None)
@given(
    entry=st.builds(Away, partition=st.integers(0, 2**31 - 1))
    | st.builds(Back, partition=st.integers(0, 2**31 - 1))
    | st.builds(
        Admitted,
        source=st.builds(Source, topic=NAMES, partition=st.just(0), offset=st.integers(0, 2**63 - 1)),
        body=st.builds(AdmittedClock, until=MOMENTS)
        | st.builds(AdmittedEnd, demand=NAMES, at=MOMENTS)
        | st.builds(
            AdmittedTenant,
            tenant=NAMES,
            at=MOMENTS,
            quotas=st.lists(QUOTAS, max_size=3, unique_by=lambda quota: frozenset(quota.types)).map(tuple),
        ),
    )
)
def test_the_ledgers_records_come_back_as_they_were(entry: Away | Back | Admitted) -> None:
    assert LEDGER_RECORD.validate_json(entry.model_dump_json()) == entry


@settings(max_examples=100, deadline=None)
@given(instant=INSTANTS)
def test_an_instant_is_its_moments_in_any_zone(instant: int) -> None:
    moment = moment_of(instant)

    assert instant_of(moment) == instant
    assert instant_of(moment.astimezone(timezone(timedelta(hours=5)))) == instant
    assert instant_of(datetime.fromisoformat(moment.isoformat())) == instant


def test_what_is_finer_than_a_millisecond_is_cut_off() -> None:
    assert instant_of(datetime(1970, 1, 1, 0, 0, 0, 1999, UTC)) == 1


@pytest.mark.parametrize(
    ("instant", "before", "after"),
    [
        pytest.param(2000, 2000, 2000, id="at-a-tick"),
        pytest.param(2001, 2000, 3000, id="just-after-it"),
        pytest.param(1999, 1000, 2000, id="just-before-it"),
        pytest.param(-1, -1000, 0, id="before-1970"),
    ],
)
def test_an_instant_lies_between_two_ticks(instant: int, before: int, after: int) -> None:
    assert (tick_at_or_before(instant, 1000), tick_at_or_after(instant, 1000)) == (before, after)


VALUES = {
    pa.int8(): st.integers(0, 3),
    pa.int16(): st.integers(0, 1000),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(0, 2**53),
    pa.float32(): st.floats(0, 1, width=32),
    pa.string(): NAMES,
    pa.timestamp("ms", tz="UTC"): MOMENTS,
    pa.dictionary(pa.int16(), pa.string()): NAMES,
}


def values(kind: pa.DataType) -> st.SearchStrategy[object]:
    if pa.types.is_list(kind):
        return st.lists(VALUES[kind.value_type] | st.none(), max_size=3)
    return VALUES[kind]


@st.composite
def rows(draw: st.DrawFn) -> dict[str, list[object]]:
    count = draw(st.integers(1, 4))
    return {
        name: draw(st.lists(values(kind) | st.none(), min_size=count, max_size=count)) for name, kind in COLUMNS.items()
    }


@settings(max_examples=60, deadline=None)
@given(site=NAMES, columns=rows())
def test_a_frame_comes_back_as_it_was(site: str, columns: dict[str, list[object]]) -> None:
    found, batch = read_frame(encode_frame(site, columns))

    assert (found, batch.to_pydict()) == (site, columns)


@settings(max_examples=40, deadline=None)
@given(site=NAMES, tick=INSTANTS, part=st.integers(0, 100), drawn=st.data())
def test_a_node_frame_comes_back_as_it_was(site: str, tick: int, part: int, drawn: st.DataObject) -> None:
    kinds = NODE_COLUMNS.items()
    said = {name: drawn.draw(st.lists(values(kind) | st.none(), min_size=2, max_size=2)) for name, kind in kinds}
    arrays = {
        name: pa.array(said[name], pa.string()).dictionary_encode().cast(kind)
        if pa.types.is_dictionary(kind)
        else pa.array(said[name], kind)
        for name, kind in kinds
    }
    found = read_node_frame(encode_node_frame(site, tick, part, arrays))

    assert (found.site, found.tick, found.part, found.batch.to_pydict()) == (site, tick, part, said)
    assert found.identity == f"{site}@{tick}/{part}"


def old_node_frame(*without: str) -> bytes:
    """A node frame of one node as it is written without these columns."""
    kinds = {name: kind for name, kind in NODE_COLUMNS.items() if name not in without}
    arrays = [
        pa.array(["n"]).dictionary_encode().cast(kind)
        if pa.types.is_dictionary(kind)
        else pa.array([None] if pa.types.is_list(kind) else ["n"] if kind == pa.string() else [0], kind)
        for kind in kinds.values()
    ]
    schema = pa.schema(list(kinds.items()), {b"site": b"s", b"tick": b"0", b"part": b"0"})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return bytes(sink.getvalue())


def test_a_node_frame_from_before_accelerators_were_told_says_none_of_them() -> None:
    batch = read_node_frame(old_node_frame(*ADDED)).batch

    assert batch.schema.names == list(NODE_COLUMNS)
    assert batch.to_pylist() == read_node_frame(old_node_frame()).batch.to_pylist()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"garbage" * 10, id="garbage"),
        pytest.param(old_node_frame(ADDED[0]), id="some-of-the-added-columns-alone"),
        pytest.param(old_node_frame("power_source"), id="a-column-missing"),
        pytest.param(encode_frame("s", {"node": ["n"]}), id="another-frame"),
    ],
)
def test_what_is_no_node_frame_is_refused(value: bytes) -> None:
    with pytest.raises(RecordRefused):
        read_node_frame(value)


def test_a_frame_takes_wider_columns_of_the_same_kind() -> None:
    columns = {"node": ["a"], "type": ["h100-sxm"], "at": [0], "sequence": [0], "installed": [8], "in_service": [8]}
    narrow = read_frame(encode_frame("s", columns))[1]
    plain = {"node": pa.large_string(), "type": pa.string(), "at": pa.timestamp("s"), "installed": pa.int64()}
    wide = pa.RecordBatch.from_arrays(
        [narrow.column(name).cast(plain.get(name, narrow.column(name).type)) for name in columns], list(columns)
    ).replace_schema_metadata({b"site": b"s"})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, wide.schema) as writer:
        writer.write_batch(wide)

    assert read_frame(bytes(sink.getvalue()))[1].to_pydict() == narrow.to_pydict()


T0 = "2027-01-15T08:00:00Z"


@pytest.mark.parametrize(
    ("model", "body"),
    [
        pytest.param(DemandRevised, {"wanted": 1, "granted": 2}, id="more-granted-than-wanted"),
        pytest.param(DemandRevised, {"wanted": 1, "starts_at": T0, "ends_at": T0}, id="ends-when-it-starts"),
        pytest.param(DemandRevised, {"wanted": 1, "sites": ("a", "a")}, id="a-site-twice"),
        pytest.param(DemandRevised, {"wanted": 1, "gang": 0}, id="a-gang-of-none"),
        pytest.param(DemandRevised, {"wanted": 1, "at": "2027-01-15T08:00:00"}, id="a-time-without-zone"),
        pytest.param(DemandEnded, {"project": "p", "extra": 1}, id="a-field-nobody-knows"),
        pytest.param(TenantRevised, {"quotas": [{"limit": 1}, {"deserved": 1}]}, id="two-quotas-of-any-type"),
        pytest.param(TenantRevised, {"quotas": [{"types": ["a"]}]}, id="a-quota-of-nothing"),
        pytest.param(TenantRevised, {"quotas": [{"types": ["a", "a"], "limit": 1}]}, id="a-quota-with-a-type-twice"),
        pytest.param(TenantRevised, {"quotas": [{"deserved": 2, "limit": 1}]}, id="more-deserved-than-the-limit"),
        pytest.param(SiteFacts, {"supply_watts": float("nan"), "pue": 1.2}, id="a-supply-that-is-no-number"),
        pytest.param(SiteFacts, {"supply_watts": -1, "pue": 1.2}, id="a-negative-supply"),
        pytest.param(Reading, {"installed": 8, "in_service": 9}, id="more-in-service-than-installed"),
        pytest.param(Reading, {"installed": 8, "in_service": 8, "allocated": 9}, id="more-allocated-than-installed"),
        pytest.param(
            Reading, {"installed": 2, "in_service": 2, "accelerators": {"utilization": [1]}}, id="a-list-too-short"
        ),
    ],
)
def test_what_makes_no_sense_cannot_be_built(model: type[BaseModel], body: dict[str, object]) -> None:
    whole: dict[str, object] = {"at": T0}
    whole |= {"demand": "d"} if model in (DemandRevised, DemandEnded) else {}
    whole |= {"tenant": "t"} if model is TenantRevised else {}
    whole |= {"site": "s"} if model in (SiteFacts, Reading) else {}
    whole |= {"project": "p"} if model is DemandRevised else {}
    whole |= {"node": "n", "type": "t", "sequence": 0} if model is Reading else {}

    with pytest.raises(ValidationError):
        model.model_validate(whole | body)
