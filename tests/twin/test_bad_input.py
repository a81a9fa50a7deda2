"""What makes no sense is refused with its reason, or counts and shows: each row of `docs/bad-input.md`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.cloudevents import EventType
from models.instants import LAST
from models.record import Outgoing, Record
from models.topics import DEMAND, SHORTAGES, SITES, STATE, TELEMETRY, dead_letters
from tests.builders import (
    CATALOGUE,
    T0,
    clock,
    demand,
    ended,
    facts,
    frame,
    json_reading,
    numbered,
    of_each,
    record,
    row,
    tenant,
)
from twin.demand import REMEMBERED
from twin.offline import OfflineTwin
from twin.rules import Rules

RULES = Rules(open_after=0, resolve_after=0, unplaced_after=0)
PAGE = (Path(__file__).parents[2] / "docs" / "bad-input.md").read_text("utf-8")
SITE_HAS = [{"type": "h100-sxm", "nodes": 2, "accelerators": 16}]


@dataclass(frozen=True, slots=True)
class Said:
    """What the twin made of it, at the end."""

    letters: list[tuple[str, str]]
    """Topic and code of the dead letters."""
    fleet: dict[str, Any]
    site: dict[str, Any]
    shortages: set[tuple[str, str]]
    """Scope and resource of those that opened."""


def ticks(first: int, last: int) -> list[Record]:
    """Two nodes of eight H100 at memphis, each half free, and all clocks, second by second."""
    records = []
    for at in range(first, last + 1, 1000):
        nodes = [row(f"n{i}", at, allocated=4, power_watts=5000.0) for i in range(2)]
        records += [frame(nodes), *(clock(at + RULES.grace, topic) for topic in (TELEMETRY, SITES, DEMAND))]
    return records


def told(odd: Sequence[Record], later: int = 0) -> Said:
    """A small fleet that hears these in its second second, and lives on until `later` milliseconds after it."""
    before = [facts(at=T0, supply_watts=20_000.0, pue=1.0, expected=SITE_HAS), *ticks(T0, T0)]
    twin = OfflineTwin(RULES, CATALOGUE, 1)
    log = numbered([*before, *odd, *ticks(T0 + 1000 + later, T0 + 3000 + later)])
    outputs = [output for one in log for output in twin.fold(one)]

    def last(key: str) -> dict[str, Any]:
        found = [output for output in outputs if output.topic == STATE and output.key == key.encode()]
        return dict(orjson.loads(found[-1].value or b""))

    shortages = [orjson.loads(output.value or b"") for output in outputs if output.topic == SHORTAGES]
    return Said(
        [(output.topic, code_of(output)) for output in outputs if output.topic.endswith(".dlq")],
        last("fleet"),
        last("memphis"),
        {(event["scope"]["kind"], event["resource"]["kind"]) for event in shortages if event["change"] == "opened"},
    )


def code_of(letter: Outgoing) -> str:
    return dict(letter.headers)["__streams.errors.exception"].decode()


def rows(heading: str) -> dict[str, str]:
    """The table under a heading of the page: the second cell by the first."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| ")]
    return {case.strip(): said.strip().strip("`") for case, said in cells[1:]}


def raw(body: bytes, topic: str = DEMAND, kind: str = EventType.DEMAND_REVISED) -> Record:
    return Record(topic, 0, 0, T0 + 1000, b"k", body, (("ce_type", kind.encode()),))


def at(second: float) -> str:
    return f"2027-01-15T08:00:{second:06.3f}Z"


STATED = b'{"demand":"d","project":"p","at":"2027-01-15T08:00:01%s","wanted":%s}'
NOW = T0 + 500

REFUSED: dict[str, Sequence[Record]] = {
    "a demand with more granted than wanted": [demand(at=NOW, wanted=1, granted=2)],
    "a demand for fewer than none": [demand(at=NOW, wanted=-1)],
    "a demand for more than 100,000,000": [demand(at=NOW, wanted=100_000_001)],
    "a demand whose number has five thousand digits": [raw(STATED % (b"Z", b"9" * 5000))],
    "a demand that ends before it starts": [demand(at=NOW, starts_at=at(9), ends_at=at(8))],
    "a demand that names a type or a site twice": [demand(at=NOW, sites=["memphis", "memphis"])],
    "a demand in gangs of none": [demand(at=NOW, gang=0)],
    "a demand of a workload that nobody knows": [demand(at=NOW, workload="gaming")],
    "a demand with a field that nobody knows": [demand(at=NOW, colour="red")],
    "a demand of more than 256 KiB": [demand(at=NOW, colour="red" * 100_000)],
    "a reading in JSON of more than 256 KiB": [json_reading(row("n0", NOW, colour="red" * 100_000))],
    "a time without a zone": [raw(STATED % (b"", b"8"))],
    "a demand for a type that is not in the catalogue": [demand(at=NOW, types=["h101"])],
    "a demand at a site without facts and nodes": [demand(at=NOW, sites=["memphis", "nowhere"])],
    "a word on a demand that may have been forgotten": [
        ended("gone", NOW),
        *(clock(NOW + REMEMBERED + 2000 + RULES.grace, topic) for topic in (TELEMETRY, SITES, DEMAND)),
        demand("gone", NOW - 1),
    ],
    "facts with a negative supply": [facts(at=NOW, supply_watts=-1.0)],
    "facts with a PUE below one": [facts(at=NOW, pue=0.9)],
    "facts that expect a type that is not in the catalogue": [
        facts(at=NOW, expected=[{"type": "h101", "nodes": 1, "accelerators": 8}])
    ],
    "facts of a site named `fleet`": [facts("fleet", NOW)],
    "readings of a site named `fleet`": [frame([row(at=NOW)], "fleet")],
    "a reading with more or fewer values in a list than it has accelerators": [
        json_reading(row("n0", NOW, **of_each(7, utilization=(1.0,))))
    ],
    "a quota that is neither deserved nor a limit": [tenant(at=NOW, quotas=[{"types": ["h100-sxm"]}])],
    "a quota that deserves more than its limit": [tenant(at=NOW, quotas=[{"deserved": 2, "limit": 1}])],
    "two quotas of the same types": [tenant(at=NOW, quotas=[{"limit": 2}, {"deserved": 1}])],
    "a quota of a type that is not in the catalogue": [tenant(at=NOW, quotas=[{"types": ["h101"], "limit": 1}])],
    "a time before 1970": [demand(at=-1)],
    "a time more than a minute after the record was sent": [replace(demand(at=NOW + 60_001), timestamp=NOW)],
    "a time later than 9999-12-31, whenever the record claims to be sent": [
        replace(json_reading(row("n0", LAST + 1)), timestamp=2**62)
    ],
    "quotas among the facts": [raw(b"{}", SITES, EventType.TENANT_REVISED)],
    "a kind of event that nobody knows": [raw(b"{}", DEMAND, "io.fleettwin.wish.v1")],
    "bytes that are no JSON": [raw(b"\xff\x00")],
    "a record without a value": [replace(raw(b""), value=None)],
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_goes_to_the_dead_letters_with_its_code_and_changes_nothing(case: str) -> None:
    odd = REFUSED[case]
    later = REMEMBERED + 3000 if "forgotten" in case else 0
    found, plain = told(odd, later), told(odd[:-1], later)

    assert found.letters == [(dead_letters(odd[-1].topic), rows("Refused")[case])]
    assert (found.site["power"], found.shortages) == (plain.site["power"], plain.shortages)
    assert {**found.fleet, "intake": None} == {**plain.fleet, "intake": None}


ACCEPTED: dict[str, tuple[Sequence[Record], Callable[[Said], bool]]] = {
    "a demand that is over when it is stated": (
        [demand(at=NOW, ends_at=at(0))],
        lambda said: (said.fleet["demands"], said.fleet["demands_expired"]) == (0, 1),
    ),
    "a demand whose start is still to come": (
        [demand(at=NOW, starts_at=at(50))],
        lambda said: (said.fleet["demands"], said.fleet["demands_waiting"]) == (0, 1),
    ),
    "an end of a demand that nobody has heard of": (
        [ended("d", NOW), demand("d", NOW - 1)],
        lambda said: (said.fleet["demands"], said.fleet["demands_expired"]) == (0, 0),
    ),
    "an older word after a newer one": (
        [demand(at=NOW, wanted=3), demand(at=NOW - 1, wanted=5)],
        lambda said: said.fleet["wanted"] == 3,
    ),
    "a demand of a type that no site has": (
        [demand(at=NOW, types=["cs-3"])],
        lambda said: ("project", "accelerators") in said.shortages and said.fleet["pending"] == 8,
    ),
    "a demand in gangs larger than any node": (
        [demand(at=NOW, wanted=1024, gang=1024)],
        lambda said: ("project", "accelerators") in said.shortages and said.fleet["servable"] == 0,
    ),
    "a grant beyond all that is installed": (
        [demand(at=NOW, wanted=500, granted=500)],
        lambda said: [said.fleet[name] for name in ("granted", "allocated", "installed")] == [500, 8, 16],
    ),
    "a grant beyond the tenant's limit": (
        [
            tenant(at=NOW, quotas=[{"deserved": 4, "limit": 6}]),
            demand(at=NOW, wanted=9, granted=7, tenant="t"),
        ],
        lambda said: [(one["granted"], one["limit"], one["borrowing"]) for one in said.fleet["tenants"]] == [(7, 6, 3)],
    ),
    "a tenant that has no quotas": (
        [demand(at=NOW, tenant="t")],
        lambda said: (
            [(one["tenant"], one["deserved"], one["wanted"]) for one in said.fleet["tenants"]] == [("t", None, 8)]
        ),
    ),
    "quotas that deserve more than there is": (
        [tenant("a", NOW, quotas=[{"deserved": 10}]), tenant("b", NOW, quotas=[{"deserved": 9}])],
        lambda said: said.fleet["overcommitted"] == 3,
    ),
    "facts that expect fewer accelerators than report": (
        [facts(at=NOW, expected=[{"type": "h100-sxm", "nodes": 1, "accelerators": 8}])],
        lambda said: said.fleet["unexpected"] == said.site["unexpected"] == 8 and said.site["installed"] == 16,
    ),
    "facts that expect more than report": (
        [facts(at=NOW, expected=[{"type": "h100-sxm", "nodes": 3, "accelerators": 24}])],
        lambda said: (
            (said.site["unknown"], said.site["nodes"]["never_seen"]) == (8, 1)
            and ("site", "visibility") in said.shortages
        ),
    ),
    "facts that list a type twice": (
        [facts(at=NOW, expected=[*SITE_HAS, *SITE_HAS])],
        lambda said: (said.site["unknown"], said.site["nodes"]["never_seen"]) == (16, 2),
    ),
    "facts with a supply below what the site draws": (
        [facts(at=NOW, supply_watts=9000.0, pue=1.0)],
        lambda said: said.site["power"]["headroom"] == -1000 and ("site", "power") in said.shortages,
    ),
    "facts with no supply at all": (
        [facts(at=NOW, supply_watts=0.0, pue=1.0)],
        lambda said: said.site["power"]["headroom"] == -10_000 and ("site", "power") in said.shortages,
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_is_accepted_shows_where_the_page_says(case: str) -> None:
    odd, shows = ACCEPTED[case]
    found, plain = told(odd), told([])

    assert found.letters == []
    assert shows(found)
    assert not shows(plain) or rows("Accepted, and where it shows")[case].startswith("nowhere")


def test_the_page_has_the_cases_that_are_tested_and_no_others() -> None:
    assert rows("Refused").keys() == REFUSED.keys()
    assert rows("Accepted, and where it shows").keys() == ACCEPTED.keys()


def test_a_fleet_with_nothing_odd_says_so() -> None:
    plain = told([])

    assert (plain.letters, plain.shortages) == ([], set())
    assert (plain.fleet["unexpected"], plain.fleet["overcommitted"], plain.fleet["tenants"]) == (0, 0, [])


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_start_or_an_end_beyond_all_calendars_is_only_far_away(year: str) -> None:
    found = told([demand("a", NOW, starts_at=year), demand("b", NOW, ends_at=year)])

    assert found.letters == []
    assert found.fleet["demands"] + found.fleet["demands_waiting"] + found.fleet["demands_expired"] == 2
    assert found.fleet["demands"] == 1


def test_every_record_of_a_dead_letter_is_as_it_was_sent() -> None:
    odd = record(b'{"demand": 1}', EventType.DEMAND_REVISED, DEMAND, "d")
    twin = OfflineTwin(RULES, CATALOGUE, 1)
    (letter,) = twin.fold(odd)

    assert (letter.value, letter.key) == (odd.value, odd.key)
    assert dict(letter.headers)["__streams.errors.message"].startswith(b"demand: Input should be a valid string, found")


def test_facts_that_list_no_accelerators_expect_any() -> None:
    found = told([facts(at=NOW, supply_watts=20_000.0)])

    assert (found.site["installed"], found.site["unexpected"], found.fleet["unexpected"]) == (16, 0, 0)
