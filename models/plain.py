"""The short way from JSON to a single reading: what is plainly good is taken as it is, all else is left to the model.

Many small senders make many small records, nearly all of them alike. What is taken here is what `read_single` would
take, and with the same result; it alone says what is refused, and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from models.catalogue import Catalogue
from models.cloudevents import MOST_JSON_BYTES
from models.columns import UNKNOWN
from models.edge import MEASURES, latest_at
from models.instants import EPOCH
from models.names import FLEET, usable
from models.reading import MOST_ACCELERATORS, STATE_CODES, PowerMethod, Reading
from models.record import Record
from models.single import SingleReading, plausible_power, read_single

_NAMES_KEPT = 65_536

_FIELDS = frozenset(Reading.model_fields)
_METHODS = frozenset({None, *(method.value for method in PowerMethod)})
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}(?:\d{3})?)?(?:Z|\+00:00)", re.ASCII)
"""As most senders write it; there are many other ways, which are left to the model."""

_NUMBERS = frozenset({int, float})
_PLAIN = tuple(
    (name, _NUMBERS, measure.low, measure.high, measure.scale, measure.unknown)
    if name != "memory_used_bytes"
    else (name, frozenset({int}), 0, 2**53 - 1, 1, measure.unknown)
    for name, measure in MEASURES.items()
)
"""Of each measure: the JSON numbers that the model takes without turning them into others, their range and scale."""


class _Who(NamedTuple):
    """What follows from the names in a reading."""

    key: bytes
    """What its record's key must be."""
    rack: str
    code: int


@dataclass
class PlainReader:
    """Reads JSON readings. Remembers names that it has read; the result does not depend on that."""

    catalogue: Catalogue
    _known: dict[tuple[str, str, str | None, str], _Who] = field(default_factory=dict)
    _most: dict[tuple[int, int], int] = field(default_factory=dict)

    def read(self, record: Record, body: bytes) -> SingleReading:
        """The reading that is the body of this record.

        Raises:
            RecordRefused: it cannot be used.
        """
        try:
            plain = self._plain(record, body)
        except (KeyError, TypeError, ValueError):
            plain = None
        return read_single(record, body, self.catalogue) if plain is None else plain

    def _plain(self, record: Record, body: bytes) -> SingleReading | None:
        """A reading of which nothing is in doubt; none, or an error, where the model has to look."""
        if len(body) > MOST_JSON_BYTES:
            return None
        said: dict[str, Any] = orjson.loads(body)
        names = said["site"], said["node"], said.get("rack"), said["type"]
        who = self._known.get(names) or self._who(*names)
        moment, sequence, installed, in_service = said["at"], said["sequence"], said["installed"], said["in_service"]
        allocated = said.get("allocated")
        if not (
            who is not None
            and who.key == record.key
            and said.keys() <= _FIELDS
            and said.get("accelerators") is None
            and said.get("power_method") in _METHODS
            and type(sequence) is type(installed) is type(in_service) is int
            and 0 <= sequence < 2**63
            and 1 <= installed <= MOST_ACCELERATORS
            and 0 <= in_service <= installed
            and (allocated is None or (type(allocated) is int and 0 <= allocated <= installed))
            and _INSTANT.fullmatch(moment)
        ):
            return None
        measured = []
        for name, kinds, low, high, scale, unknown in _PLAIN:
            value = said.get(name)
            if value is None:
                measured.append(unknown)
            elif type(value) in kinds and low <= value <= high:
                measured.append(round(value * scale))
            else:
                return None
        since = datetime.fromisoformat(moment) - EPOCH
        at = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
        state = STATE_CODES[said.get("state", "in_service")]
        if not 0 <= at <= latest_at(record.sent_at) or measured[0] > self._plausible(who.code, installed):
            return None
        bound = UNKNOWN if allocated is None else allocated
        numbers = (who.code, at, sequence, installed, in_service, bound, *measured, state)
        return SingleReading(names[0], names[1], who.rack, numbers)

    def _who(self, site: Any, node: Any, rack: Any, type_: Any) -> _Who | None:
        """None where a name cannot be used, or a type is not in the catalogue."""
        said = (site, node) if rack is None else (site, node, rack)
        if site == FLEET or not all(type(name) is str and usable(name) for name in said):
            return None
        who = _Who(site.encode(), rack or "", self.catalogue.codes[type_])
        if len(self._known) >= _NAMES_KEPT:
            del self._known[next(iter(self._known))]
        self._known[site, node, rack, type_] = who
        return who

    def _plausible(self, code: int, installed: int) -> int:
        most = self._most.get((code, installed))
        if most is None:
            most = self._most[code, installed] = plausible_power(self.catalogue, code, installed)
        return most
