"""The short way to a single reading: it takes what the model takes, with the same result, and refuses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.errors import RecordRefused
from models.plain import PlainReader
from models.record import Record
from models.single import SingleReading, read_single
from models.topics import TELEMETRY
from tests.builders import CATALOGUE, SITE, T0

GOOD = {
    "site": '"memphis"',
    "node": '"n0"',
    "rack": '"r0"',
    "type": '"h100-sxm"',
    "at": '"2027-01-15T08:00:00Z"',
    "sequence": "7",
    "installed": "8",
    "in_service": "8",
    "allocated": "4",
    "power_watts": "6134.490234375",
    "utilization": "0.7369657754898071",
    "sm_active": "0.5",
    "memory_used_bytes": "479962595328",
    "temperature_celsius": "51.13772201538086",
    "state": '"in_service"',
}
"""A reading, value by value as JSON has it."""

NAMES = ['""', '"fleet"', '"memphis"', '"n\\u0000"', '"\\u0085"', '"\\ud800"', '"\\ud83d\\ude00"', f'"{"x" * 129}"']
COUNTS = [
    "0",
    "-0",
    "8",
    "9",
    "1024",
    "1025",
    "8.0",
    "8.5",
    '"8"',
    "1e1",
    "9223372036854775807",
    "9223372036854775808",
]
MEASURED = [
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "0.1",
    "1e-400",
    "1e400",
    "-1e-9",
    "1.0000000001",
    '"0.5"',
    "9223372036854775794",
]
EDGES = [
    "1e9",
    "1000000000",
    "1000000001",
    "12750",
    "12750.0001",
    "12751",
    "200",
    "200.1",
    "-60",
    "-61",
    "4e-7",
    "5e-7",
]
BYTES = ["9007199254740991", "9007199254740992", "1e3", "5.0"]
MOMENTS = [
    '"2027-01-15T08:00:00.123Z"',
    '"2027-01-15T08:00:00.123999+00:00"',
    '"2027-01-15T08:00:00.12+00:00"',
    '"2027-01-15T08:00:00.1234567Z"',
    '"2027-01-15T10:00:00+02:00"',
    '"2027-01-15T08:00:00-00:00"',
    '"2027-01-15T08:01:00Z"',
    '"2027-01-15T08:01:00.001Z"',
    '"2027-01-15T24:00:00Z"',
    '"2027-01-15T08:00:60Z"',
    '"2027-02-30T08:00:00Z"',
    '"2027-W03-1T08:00:00Z"',
    '"2027-01-15 08:00:00Z"',
    '"2027-01-15t08:00:00z"',
    '"2027-01-15T08:00Z"',
    '"2027-01-15T08:00:00"',
    '"2027-01-15"',
    '"1969-12-31T23:59:59.999Z"',
    '"1970-01-01T00:00:00Z"',
    '"0000-01-01T00:00:00Z"',
    '"0001-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59Z"',
    '"\\u0662027-01-15T08:00:00Z"',
    "1800000000",
    "1800000000.5",
    '"1800000000"',
]
OTHERS = [
    "null",
    "true",
    "false",
    "NaN",
    "-Infinity",
    "[]",
    "{}",
    '"in_service"',
    '"failed"',
    '"melted"',
    "01",
    "1.",
    "+1",
]
LISTS = ['{"power_watts":[1,2,null,4,5,6,7,8]}', '{"utilization":[null]}', '{"utilization":[1,0,1,0,1,0,1,0]}', "{}"]
VALUES = [*GOOD.values(), *NAMES, *COUNTS, *MEASURED, *EDGES, *BYTES, *MOMENTS, *OTHERS, *LISTS]

FITTING = {
    **dict.fromkeys(("site", "node", "rack", "type"), NAMES),
    **dict.fromkeys(("sequence", "installed", "in_service", "allocated"), COUNTS),
    **dict.fromkeys(("power_watts", "utilization", "sm_active", "temperature_celsius"), MEASURED + EDGES),
    "memory_used_bytes": MEASURED + BYTES,
    "at": MOMENTS,
    "state": OTHERS,
    "power_method": ['"energy_counter"', '"instantaneous"', '"guessed"', "null", "[]"],
    "accelerators": LISTS,
}

Pairs = list[tuple[str, str]]


@st.composite
def pairs(draw: st.DrawFn) -> Pairs:
    """A good reading with a few values in place of its own, left out, said twice, or of no field at all."""
    said = list(GOOD.items())
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*FITTING, "colour"]))
        value = draw(st.sampled_from(FITTING.get(name, VALUES)) | st.sampled_from(VALUES))
        place = next((place for place, (known, _) in enumerate(said) if known == name), len(said))
        match draw(st.sampled_from(("instead", "without", "twice", "twice before"))):
            case "instead":
                said[place : place + 1] = [(name, value)]
            case "without":
                said[place : place + 1] = []
            case "twice":
                said.append((name, value))
            case _:
                said.insert(0, (name, value))
    return said


def written(said: Pairs, space: str = "") -> bytes:
    body = f",{space}".join(f'"{name}"{space}:{space}{value}' for name, value in said)
    return f"{space}{{{body}}}{space}".encode(errors="replace")


def sent(body: bytes, key: bytes | None = SITE.encode()) -> Record:
    return Record(TELEMETRY, 0, 0, T0, key, body)


Found = SingleReading | tuple[str, str]


def outcome(read: Callable[[], SingleReading]) -> Found:
    try:
        return read()
    except RecordRefused as refused:
        return refused.code, refused.detail


def both(body: bytes, key: bytes | None = SITE.encode(), reader: PlainReader | None = None) -> tuple[Found, Found]:
    """What the short way makes of a body, and what the model makes of it."""
    one, reader = sent(body, key), reader or PlainReader(CATALOGUE)
    return outcome(lambda: reader.read(one, body)), outcome(lambda: read_single(one, body, CATALOGUE))


@settings(max_examples=1500, deadline=None)
@given(said=pairs(), space=st.sampled_from(("", " ", "\n")), twice=st.booleans())
@example(said=[*GOOD.items(), ("power_watts", "-1")], space="", twice=False)
@example(said=[("power_watts", "-1"), *GOOD.items()], space="", twice=False)
def test_the_short_way_says_what_the_model_says(said: Pairs, space: str, twice: bool) -> None:
    reader = PlainReader(CATALOGUE)
    if twice:
        both(written(list(GOOD.items())), reader=reader)
    short, model = both(written(said, space), reader=reader)

    assert short == model
    if isinstance(short, SingleReading):
        assert [type(number) for number in short.numbers] == [int] * 12


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(("power_watts", "utilization", "sm_active", "temperature_celsius")),
    value=st.floats(-60, 12_751) | st.floats(0, 1) | st.integers(-60, 12_751),
)
def test_numbers_are_rounded_as_the_model_rounds_them(name: str, value: float) -> None:
    short, model = both(orjson.dumps({**orjson.loads(written(list(GOOD.items()))), name: value}))

    assert short == model


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b'"site"', id="a-text"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\xff", id="no-text"),
        pytest.param(b"\xef\xbb\xbf" + written(list(GOOD.items())), id="a-byte-order-mark"),
        pytest.param(written(list(GOOD.items())) + b"x", id="more-behind"),
        pytest.param(written(list(GOOD.items()))[:-1], id="cut-off"),
        pytest.param(b"[" * 5000, id="deep"),
    ],
)
def test_what_is_no_reading_is_refused_in_the_models_words(body: bytes) -> None:
    short, model = both(body)

    assert short == model
    assert not isinstance(short, SingleReading)


@pytest.mark.parametrize("key", [None, b"", b"abilene", b"memphis "])
def test_a_known_site_under_another_key_is_refused(key: bytes | None) -> None:
    reader, body = PlainReader(CATALOGUE), written(list(GOOD.items()))
    both(body, reader=reader)
    short, model = both(body, key, reader)

    assert short == model
    assert short[0] == "wrong_key"


def test_a_usual_reading_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> SingleReading:
        raise AssertionError

    body = written([*GOOD.items(), ("power_method", '"energy_counter"')])
    expected = read_single(sent(body), body, CATALOGUE)
    monkeypatch.setattr("models.plain.read_single", refuse)

    assert PlainReader(CATALOGUE).read(sent(body), body) == expected
