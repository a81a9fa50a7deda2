"""Reading exporters' text: only what is wanted, each series once, and never other than the parser reads it."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from models.errors import ConfigurationError
from streams.publish.scraping.endpoint import Endpoint, Senseless
from streams.publish.scraping.exposition import LONGEST_LINE, Garbled, SeriesReader, names_in
from streams.publish.scraping.fetching import Answer
from streams.publish.scraping.field_map import SHIPPED, shipped_map
from tests.exporter import answer_of
from tests.publish_builders import target

Series = tuple[str, tuple[tuple[str, str], ...]]

WANTED = frozenset({"watts", "joules"})


def series_of(name: str, labels: Mapping[str, str]) -> Series:
    return name, tuple(sorted(labels.items()))


def reader(wanted: frozenset[str] = WANTED) -> SeriesReader[Series]:
    return SeriesReader(wanted, series_of)


def parsed(text: str, wanted: frozenset[str] = WANTED) -> Counter[tuple[Series, str]]:
    """What the parser makes of the whole text; it gives counters an ending of their own."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    plain = ((sample.name.removesuffix("_total"), sample) for sample in samples)
    return Counter((series_of(name, one.labels), str(float(one.value))) for name, one in plain if name in wanted)


def read(text: str, wanted: frozenset[str] = WANTED) -> Counter[tuple[Series, str]]:
    return Counter((series, str(value)) for series, value in reader(wanted).read(text))


@pytest.mark.parametrize("name", ["dcgm-h100", "dcgm-mig", "amd-mi300x", "amd-partitioned", "gaudi3"])
def test_what_is_wanted_of_an_exporters_answer_is_read_as_the_parser_reads_it(name: str) -> None:
    text = answer_of(name).body.decode()
    wanted = frozenset(metric for one in SHIPPED for metric in shipped_map(one).mapped)

    assert read(text, wanted) == parsed(text, wanted)
    assert names_in(text, wanted) == {series[0] for series, _ in parsed(text, wanted)}


@pytest.mark.parametrize(
    "line",
    [
        'watts{gpu="0"} 5',
        'watts{gpu="0"}5',
        '  watts {gpu="0"}\t5\t1700000000000 ',
        'watts{gpu="0",} 5 1700000000000',
        'watts{a="}",b="{",c="\\"",d="\\\\"} 5e3',
        'watts{a="é日本"} +Inf',
        'watts{a="x"} 5 # {trace="y"} 1',
        "watts 7",
        'watts_total{gpu="0"} 9',
        '{"watts",gpu="0"} 5',
        'watts{gpu="0"} 5\r',
        "watts{} 5",
        'watts{gpu="0"} 0x10',
        'watts{gpu="0"} 1_000',
        'watts{gpu="0"} five',
        'watts{gpu="0"}',
        "watts",
        'watts{gpu="0" 5',
        'watts{gpu="0",gpu="1"} 5',
        "watts{gpu=0} 5",
        'watts{gpu="0"} {c="d"} 5',
        'watts{gpu="0"} 5 x',
    ],
)
def test_a_line_is_read_or_refused_as_the_parser_does_it(line: str) -> None:
    try:
        expected = parsed(line)
    except ValueError:
        with pytest.raises(Garbled):
            read(line)
    else:
        assert read(line) == expected


_LABELS = st.dictionaries(
    st.sampled_from(["gpu", "UUID", "modelName"]), st.text('ab0"\\{}, =#\n', max_size=6), max_size=3
).map(lambda labels: ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()))
_BROKEN_LABELS = st.text('ab="\\{}, #', max_size=12)
_VALUES = st.sampled_from(["1", "0.5", "NaN", "+Inf", "-1", "1e9", "9223372036854775794", "x", "", "1 2", "1 2 3"])
_LINES = st.builds(
    lambda name, gap, labels, space, value: f"{name}{gap}{{{labels}}}{space}{value}",
    st.sampled_from(["watts", "joules", "joules_total"]),
    st.sampled_from(["", " "]),
    _LABELS | _BROKEN_LABELS,
    st.sampled_from(["", " ", "\t", "  "]),
    _VALUES,
)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@given(st.lists(_LINES, max_size=6))
def test_any_lines_are_read_as_the_parser_reads_them(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        expected = parsed(text)
    except (ValueError, IndexError):
        with pytest.raises(Garbled):
            read(text)
    else:
        assert read(text) == expected


@given(st.lists(_LINES, max_size=4), st.lists(_LINES, max_size=4))
def test_what_was_read_before_changes_nothing(before: list[str], now: list[str]) -> None:
    used = reader()
    with suppress(Garbled):
        used.read("\n".join(before))
    text = "\n".join(now)
    try:
        expected = read(text)
    except Garbled:
        with pytest.raises(Garbled):
            used.read(text)
    else:
        assert Counter((series, str(value)) for series, value in used.read(text)) == expected


def test_the_labels_of_a_series_are_read_once_while_it_is_there() -> None:
    calls: list[str] = []

    def counting(name: str, labels: Mapping[str, str]) -> str:
        calls.append(labels["gpu"])
        return labels["gpu"]

    used = SeriesReader(WANTED, counting)
    for text in ('watts{gpu="0"} 1', 'watts{gpu="0"} 2', "", 'watts{gpu="0"} 3'):
        values = used.read(text)

    assert values == [("0", 3.0)]
    assert calls == ["0", "0"]


def test_lines_of_other_metrics_are_not_looked_at() -> None:
    assert read('watts{gpu="0"} 1\nother{{{ nonsense\nwattsx 1\n') == parsed('watts{gpu="0"} 1')


def test_a_line_that_would_take_long_is_refused() -> None:
    with pytest.raises(Garbled, match="characters"):
        read("watts{" + 'a="' + '\\"' * LONGEST_LINE + '"} 1')


_MAPPED = sorted(metric for name in SHIPPED for metric in shipped_map(name).mapped)
_ANYTHING = st.text(max_size=200) | st.text(string.printable, max_size=200)
_NEARLY = st.builds(
    lambda name, labels, value: f"{name}{{{labels}}} {value}",
    st.sampled_from(_MAPPED),
    st.sampled_from(['gpu="0",modelName="NVIDIA B200"', 'gpu_id="1"', 'id="x"', "", 'gpu="-1"']) | _BROKEN_LABELS,
    _VALUES,
)


@given(
    st.lists(_ANYTHING | _NEARLY, max_size=5).map("\n".join),
    st.sampled_from(["", "text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0", "image/png"]),
)
def test_no_text_is_more_than_a_failure_with_a_reason(text: str, content_type: str) -> None:
    asked = Endpoint(target(None), "http://exporter/metrics", [shipped_map(name) for name in SHIPPED])

    try:
        heard, doubts = asked.heard(Answer(text, content_type), at=1)
    except (Senseless, Garbled, ConfigurationError) as why:
        reasons = [str(why)]
    else:
        reasons = [*doubts, *(one.about for one in heard)]

    assert all(reasons)
    assert reasons
