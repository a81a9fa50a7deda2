"""An exporter's answer as values of series.

Only lines of metrics that somebody wants are read: the answers of a fleet have hundreds of thousands of lines a beat.
The labels of a series are the same in every answer, so they are read once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from models.wording import printable

OPENMETRICS = "application/openmetrics-text"

_Series = TypeVar("_Series")

_PARSER_ERRORS = (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError)
"""What the parser raises of text that is none of its format."""

_PLAIN_LINE = re.compile(
    r'(?P<series>[a-zA-Z_:][a-zA-Z0-9_:]*[ \t]*\{(?:[^"{}\n]++|"(?:[^"\\\n]++|\\.)*+")*+\})'
    r"(?P<value>[ \t]*[0-9A-Za-z+.-]+(?:[ \t]+[0-9-]+)?)"
)
"""A series with labels, its value, and perhaps a time. Other lines are left to the parser as they are."""


LONGEST_LINE = 16_384
"""Characters; what the parser needs for a line can grow with the square of its length."""


class Garbled(Exception):
    """The answer is not of the format that it says."""


def names_in(text: str, wanted: frozenset[str]) -> frozenset[str]:
    """Which of these metrics the answer has lines of."""
    found = (_name_among(wanted, name) for name in re.findall(rf"^[ \t]*({_any_of(wanted)})[ \t{{]", text, re.M))
    return frozenset(name for name in found if name is not None)


@dataclass
class SeriesReader(Generic[_Series]):
    """Reads the answers of one endpoint, one after the other.

    Args:
        wanted: The names of the metrics to read, for counters with or without `_total`.
        series_of: What a series is to whoever asks, by its metric's name and its labels; called once for each series
            as long as it is in every answer.
    """

    wanted: frozenset[str]
    series_of: Callable[[str, Mapping[str, str]], _Series]
    _known: dict[str, _Series] = field(default_factory=dict)
    """Of the last answer, by its text."""
    _lines: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        names = rf"(?:{_any_of(self.wanted)})(?:[ \t{{]|$)"
        self._lines = re.compile(rf"^[ \t]*(?:{names}|\{{).*", re.MULTILINE)  # a name in quotes stands in the braces

    def read(self, text: str, content_type: str = "") -> list[tuple[_Series, float]]:
        """The wanted series with their values, in any order.

        Raises:
            Garbled: it is not of its format; where that is Prometheus' own, lines of other metrics are not looked at.
        """
        longest = max(map(len, text.split("\n")))
        if longest > LONGEST_LINE:
            raise Garbled(f"a line of {longest} characters")
        try:
            if content_type.startswith(OPENMETRICS):
                families = openmetrics.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
                return list(self._samples(families))
            return self._read_lines(text)
        except _PARSER_ERRORS as error:
            raise Garbled(printable(str(error)[:200]) or "a line that is no sample") from None

    def _read_lines(self, text: str) -> list[tuple[_Series, float]]:
        """A series that is known becomes a bare name before its value; the parser reads that much faster."""
        read: list[tuple[_Series, float]] = []
        known: dict[str, _Series] = {}
        plain: list[tuple[_Series, str]] = []
        for line in self._lines.findall(text):
            parts = _PLAIN_LINE.fullmatch(line.strip())
            if parts is None:
                read += self._samples(text_string_to_metric_families(line))
                continue
            series = parts["series"]
            if series not in known:
                known[series] = self._known[series] if series in self._known else self._first_seen(series)
            plain.append((known[series], parts["value"]))
        values = _samples_of("\n".join(f"v {value}" for _, value in plain))
        read += zip((series for series, _ in plain), values, strict=True)
        self._known = known
        return read

    def _first_seen(self, series: str) -> _Series:
        ((found, _),) = self._samples(text_string_to_metric_families(f"{series} 0"))
        return found

    def _samples(self, families: Iterable[Metric]) -> Iterator[tuple[_Series, float]]:
        for family in families:
            for sample in family.samples:
                name = _name_among(self.wanted, sample.name)
                if name is not None:
                    yield self.series_of(name, sample.labels), float(sample.value)


def _samples_of(text: str) -> Iterator[float]:
    for family in text_string_to_metric_families(text):
        yield from (float(sample.value) for sample in family.samples)


def _any_of(names: Iterable[str]) -> str:
    """A regular expression for one of the names, with the ending of a counter or without."""
    return rf"(?:{'|'.join(map(re.escape, sorted(names)))})(?:_total)?"


def _name_among(wanted: frozenset[str], name: str) -> str | None:
    """As it is, or without the `_total` that counters have in some exporters; none where nobody wants it."""
    return next((one for one in (name, name.removesuffix("_total")) if one in wanted), None)
