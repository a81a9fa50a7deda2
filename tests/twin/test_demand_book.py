"""Demand: what is admitted, from when it counts, and which word of it stands."""

from __future__ import annotations

from itertools import permutations
from random import Random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.instants import moment_of
from models.ledger import LEDGER_RECORD, Admitted, AdmittedEnd
from models.record import Outgoing, Record
from models.topics import DEMAND, LEDGER, SITES, dead_letters
from tests.builders import CATALOGUE, T0, clock, demand, ended, facts, numbered, wants
from twin.admission import admit
from twin.demand import DemandBook
from twin.rules import Rules
from twin.sequencing import Inputs

RULES = Rules()


def end(at: int, demand: str = "d") -> AdmittedEnd:
    return AdmittedEnd(demand=demand, at=moment_of(at))


def test_the_newest_revision_stands_whatever_the_order() -> None:
    revisions = [wants(wanted=number, at=T0 + number) for number in (1, 2, 3)]

    for order in permutations(revisions):
        book = DemandBook()
        for revision in order:
            book.apply(revision)
        assert [one.wanted for one in book.standing(T0)] == [3]


@pytest.mark.parametrize(
    ("bodies", "stands"),
    [
        pytest.param([wants(at=T0), end(T0 + 1)], False, id="ended"),
        pytest.param([end(T0 + 1), wants(at=T0)], False, id="an-older-revision-that-comes-late"),
        pytest.param([end(T0), wants(at=T0)], False, id="a-revision-of-the-same-instant"),
        pytest.param([wants(at=T0 + 1), end(T0)], True, id="an-older-end"),
        pytest.param([end(T0), wants(at=T0 + 1)], True, id="asked-for-again-later"),
        pytest.param([end(T0 + 2), end(T0), wants(at=T0 + 1)], False, id="two-ends-the-older-one-last"),
    ],
)
def test_what_is_ended_stays_ended(bodies: list[AdmittedEnd], stands: bool) -> None:
    book = DemandBook()
    for body in bodies:
        book.apply(body)

    assert bool(book.standing(T0)) == stands


@pytest.mark.parametrize(
    ("starts", "ends", "stands"),
    [
        pytest.param(None, None, True, id="from-its-own-time-on"),
        pytest.param(0, None, True, id="starts-now"),
        pytest.param(1, None, False, id="starts-later"),
        pytest.param(None, 1, True, id="ends-later"),
        pytest.param(None, 0, False, id="ends-now"),
        pytest.param(-2, -1, False, id="is-over"),
    ],
)
def test_a_demand_stands_between_its_start_and_its_end(starts: int | None, ends: int | None, stands: bool) -> None:
    book = DemandBook()
    begins, over = (None if at is None else moment_of(T0 + at) for at in (starts, ends))
    book.apply(wants(starts_at=begins, ends_at=over))

    assert bool(book.standing(T0)) == stands


def admitted(records: list[Record]) -> list[Admitted]:
    entries = [LEDGER_RECORD.validate_json(admit(one, CATALOGUE).value or b"") for one in numbered(records)]
    return [entry for entry in entries if isinstance(entry, Admitted)]


def due(records: list[Admitted], tick: int) -> list[str]:
    inputs = Inputs(RULES)
    for one in records:
        inputs.admit(one)
    return [one.body.model_dump_json() for one in inputs.due(tick)]


@pytest.mark.parametrize(
    ("at", "passed", "tick"),
    [
        pytest.param(T0, None, T0, id="exactly-at-a-tick"),
        pytest.param(T0 + 1, None, T0 + 1000, id="between-two"),
        pytest.param(T0, T0 + RULES.grace - 1, T0, id="within-the-grace"),
        pytest.param(T0, T0 + RULES.grace, T0 + 1000, id="late-counts-from-the-next-tick-on"),
        pytest.param(T0, T0 + 60_000 + RULES.grace, T0 + 61_000, id="very-late"),
    ],
)
def test_a_record_counts_from_the_tick_of_its_time_or_if_late_from_the_next(
    at: int, passed: int | None, tick: int
) -> None:
    records = admitted([*([clock(passed, DEMAND)] if passed else []), demand(at=at)])

    assert due(records, tick - 1000) == []
    assert len(due(records, tick)) == 1


@settings(max_examples=50, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_how_the_topics_interleave_does_not_matter(random: Random) -> None:
    seconds = range(5)
    by_topic = [
        admitted([one for s in seconds for one in (facts(at=T0 + s * 700), clock(T0 + s * 1000, SITES))]),
        admitted([one for s in seconds for one in (demand(at=T0 + s * 800), clock(T0 + s * 1000, DEMAND))]),
    ]
    mixed = []
    queues = [list(queue) for queue in by_topic]
    while any(queues):
        mixed.append(random.choice([queue for queue in queues if queue]).pop(0))

    for tick in range(T0, T0 + 6000, 1000):
        assert due(mixed, tick) == due([*by_topic[0], *by_topic[1]], tick)


def test_repeats_are_dropped_by_their_place_in_their_topic() -> None:
    records = admitted([demand("a"), demand("b"), clock(T0 + 5000, DEMAND)])

    assert due([*records, *records], T0 + 60_000) == due(records, T0 + 60_000)


def test_what_is_held_survives_a_restart() -> None:
    before, after = Inputs(RULES), Inputs(RULES)
    for one in admitted([clock(T0, DEMAND), demand(at=T0 + 700), ended(at=T0 + 900), facts(at=T0 + 700)]):
        before.admit(one)
    after.restore(orjson.loads(orjson.dumps(before.head(), option=orjson.OPT_NON_STR_KEYS)))

    assert after.head() == before.head()
    assert after.due(T0 + 1000) == before.due(T0 + 1000)


def test_a_tick_is_through_when_both_topics_have_passed_it() -> None:
    inputs = Inputs(RULES)
    through = []
    for one in admitted([clock(T0 + RULES.grace, SITES), clock(T0 + 5000, DEMAND), clock(T0 + 9000, SITES)]):
        inputs.admit(one)
        through.append(inputs.through())

    assert through == [None, T0, T0 + 4000]


def reason(letter: Outgoing) -> str:
    return dict(letter.headers)["__streams.errors.exception"].decode()


@pytest.mark.parametrize(
    ("one", "code"),
    [
        pytest.param(demand(types=["h100-pcie"]), "unknown_type", id="demand-of-an-unknown-type"),
        pytest.param(
            facts(expected=[{"type": "x", "nodes": 1, "accelerators": 1}]),
            "unknown_type",
            id="facts-of-one",
        ),
        pytest.param(demand(wanted=-1), "invalid", id="fewer-than-none"),
        pytest.param(demand(wanted=1, granted=2), "invalid", id="more-granted-than-wanted"),
        pytest.param(demand(colour="red"), "invalid", id="a-field-nobody-knows"),
        pytest.param(facts(pue=0.9), "invalid", id="a-pue-below-one"),
        pytest.param(demand(types=["h100-sxm", "h100-sxm"]), "invalid", id="a-type-twice"),
        pytest.param(facts(at=-1), "out_of_range", id="before-1970"),
        pytest.param(clock(-1, DEMAND), "out_of_range", id="a-clock-before-1970"),
    ],
)
def test_what_makes_no_sense_goes_to_the_dead_letters(one: Record, code: str) -> None:
    letter = admit(one, CATALOGUE)

    assert (letter.topic, letter.value, reason(letter)) == (dead_letters(one.topic), one.value, code)


def raw(body: bytes, kind: Record) -> Record:
    return Record(kind.topic, 0, 0, kind.timestamp, kind.key, body, kind.headers)


@pytest.mark.parametrize(
    ("one", "code"),
    [
        pytest.param(raw(b'{"demand":"d","at":"0001-01-01T00:00:00+05:00"}', ended()), "out_of_range", id="year-0"),
        pytest.param(raw(b'{"until":"9999-12-31T23:59:59-05:00"}', clock(T0, DEMAND)), "out_of_range", id="year-10000"),
        pytest.param(raw(demand(at=T0 + 60_001).value or b"", demand()), "future", id="ahead-of-when-it-was-sent"),
        pytest.param(raw(b"\xff", demand()), "invalid", id="not-utf-8"),
        pytest.param(raw(b"[]", demand()), "invalid", id="not-an-object"),
        pytest.param(raw(facts().value or b"", facts()), "", id="facts-are-fine"),
        pytest.param(raw(demand(at=T0 + 60_000).value or b"", demand()), "", id="not-too-far-ahead"),
        pytest.param(
            Record(DEMAND, 0, 0, T0, b"", b"{}", (("ce_type", b"io.fleettwin.site-facts.v1"),)),
            "unexpected",
            id="facts-among-demand",
        ),
    ],
)
def test_admission_says_why_or_lets_pass(one: Record, code: str) -> None:
    entry = admit(one, CATALOGUE)

    assert (reason(entry) if entry.topic != LEDGER else "") == code
    assert entry == admit(one, CATALOGUE)


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200) | st.text(max_size=80).map(str.encode), bare=st.sampled_from((SITES, DEMAND)))
def test_nothing_but_a_ledger_record_or_a_dead_letter_comes_of_any_bytes(body: bytes, bare: str) -> None:
    assert admit(Record(bare, 0, 0, T0, None, body), CATALOGUE).topic in {LEDGER, dead_letters(bare)}
