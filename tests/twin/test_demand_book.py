"""Demand: what is admitted, from when it counts, and which word of it stands."""

from __future__ import annotations

from itertools import pairwise, permutations
from random import Random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecordRefused
from models.instants import moment_of
from models.ledger import LEDGER_RECORD, Admitted, AdmittedDemand, AdmittedEnd, AdmittedTenant
from models.record import Outgoing, Record
from models.topics import DEMAND, LEDGER, SITES, dead_letters
from tests.builders import CATALOGUE, T0, clock, demand, ended, entitled, facts, numbered, tenant, wants
from twin.admission import admit
from twin.demand import REMEMBERED, DemandBook
from twin.heads import BookHead, InputsHead
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
        assert [one.wanted for one in book.at(T0).demands] == [3]


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

    assert bool(book.at(T0).demands) == stands


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

    assert bool(book.at(T0).demands) == stands


Word = AdmittedDemand | AdmittedEnd | AdmittedTenant


def said(*words: Word) -> DemandBook:
    """A book that has heard these, one after the other."""
    book = DemandBook()
    for word in words:
        book.apply(word)
    return book


def told_again(book: DemandBook) -> DemandBook:
    """A book restored from what another is made of, by way of bytes."""
    again = DemandBook()
    again.restore(BookHead.model_validate_json(orjson.dumps(book.head())))
    return again


@settings(max_examples=200, deadline=None)
@given(random=st.randoms(use_true_random=False), times=st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_the_order_of_words_does_not_matter(random: Random, times: list[int]) -> None:
    words: list[Word] = [
        wants("a", wanted=1, at=T0 + times[0]),
        wants("a", wanted=2, at=T0 + times[1], ends_at=moment_of(T0 + 9)),
        end(T0 + times[2], "a"),
        wants("b", at=T0 + times[3]),
        entitled("t", T0 + times[4], {"deserved": 1}),
        entitled("t", T0 + times[5], {"limit": 2}),
    ]
    shuffled = random.sample(words, len(words))

    assert said(*shuffled).head() == said(*words).head()


def test_what_stands_is_the_same_object_until_something_changes_it() -> None:
    book = said(wants("a", starts_at=moment_of(T0 + 5)), wants("b", ends_at=moment_of(T0 + 7)), wants("c"))
    lists = [book.at(T0 + second).demands for second in range(10)]
    ids = [[one.demand for one in some] for some in lists]
    same = [before is after for before, after in pairwise(lists)]

    assert ids == [["b", "c"]] * 5 + [["a", "b", "c"]] * 2 + [["a", "c"]] * 3
    assert same == [place not in (4, 6) for place in range(9)]


@pytest.mark.parametrize(
    ("word", "same"),
    [
        pytest.param(wants("c", at=T0 - 1, wanted=9), True, id="an-older-revision"),
        pytest.param(wants("c"), True, id="a-repeat"),
        pytest.param(end(T0 - 1, "c"), True, id="an-older-end"),
        pytest.param(entitled("t", T0, {"limit": 1}), True, id="a-tenant"),
        pytest.param(wants("c", at=T0 + 1), False, id="a-revision"),
        pytest.param(end(T0, "c"), False, id="an-end"),
        pytest.param(wants("d"), False, id="another-demand"),
    ],
)
def test_a_word_that_changes_no_demand_leaves_what_stands(word: Word, same: bool) -> None:
    book = said(wants("c"))
    before = book.at(T0 + 1).demands
    book.apply(word)

    assert (book.at(T0 + 1).demands is before) == same


def test_demands_that_are_still_to_start_and_those_past_their_end_are_counted() -> None:
    book = said(
        wants("waits", starts_at=moment_of(T0 + 5), ends_at=moment_of(T0 + 8)),
        wants("stands"),
        wants("over", ends_at=moment_of(T0)),
        wants("gone", ends_at=moment_of(T0)),
        end(T0, "gone"),
    )

    assert [(book.at(tick).waiting, book.at(tick).expired) for tick in (T0, T0 + 5, T0 + 8)] == [(1, 1), (0, 1), (0, 2)]


def test_the_newest_quotas_stand_and_none_lifts_them() -> None:
    book = said(entitled("a", T0 + 1, {"deserved": 2}), entitled("a", T0, {"deserved": 1}), entitled("b", T0))
    before = book.quotas

    assert {name: [quota.deserved for quota in some] for name, some in before.items()} == {"a": [2]}
    book.apply(wants("d"))
    book.apply(entitled("a", T0, {"deserved": 3}))
    assert book.quotas is before
    book.apply(entitled("a", T0 + 2))
    assert book.quotas == {}


WEEK_LATER = T0 + REMEMBERED


@pytest.mark.parametrize(
    ("words", "tick", "known"),
    [
        pytest.param([end(T0)], WEEK_LATER, 1, id="an-end-is-remembered-so-long"),
        pytest.param([end(T0)], WEEK_LATER + 1, 0, id="and-no-longer"),
        pytest.param([wants(ends_at=moment_of(T0 + 5))], WEEK_LATER + 5, 1, id="one-expired-from-its-end-on"),
        pytest.param([wants(ends_at=moment_of(T0 + 5))], WEEK_LATER + 6, 0, id="is-forgotten-too"),
        pytest.param([wants(ends_at=moment_of(0))], WEEK_LATER, 1, id="from-its-last-word-on-if-that-is-later"),
        pytest.param([wants()], WEEK_LATER * 2, 1, id="one-that-stands-is-never-forgotten"),
        pytest.param([wants(starts_at=moment_of(T0 * 2))], WEEK_LATER * 2, 1, id="nor-one-that-waited"),
        pytest.param([end(T0), wants(at=T0 + 1)], WEEK_LATER * 2, 1, id="nor-one-that-was-asked-for-again"),
    ],
)
def test_what_is_over_is_forgotten_after_a_week(words: list[Word], tick: int, known: int) -> None:
    book = said(*words)
    book.forget(tick)

    assert len(book.demands) + len(book.ended) == known
    assert len(book.head()["demands"]) + len(book.head()["ended"]) == known


@pytest.mark.parametrize("last", [end(T0 + 5), wants(at=T0 + 5, ends_at=moment_of(T0 + 6))])
def test_what_is_forgotten_does_not_come_back_to_life(last: Word) -> None:
    book = said(wants("other"), last)
    book.forget(WEEK_LATER + 10)

    for at in (T0, T0 + 5):
        with pytest.raises(RecordRefused, match=r"too_old: demand 'd'.*state it anew"):
            book.apply(wants(at=at))
        book.apply(end(at))
    book.apply(wants("other", wanted=99, at=T0 + 1))

    assert [(one.demand, one.wanted) for one in book.at(WEEK_LATER + 10).demands] == [("other", 99)]
    assert book.ended == {}
    book.apply(wants(at=T0 + 6))
    assert len(book.at(WEEK_LATER + 10).demands) == 2


@settings(max_examples=100, deadline=None)
@given(
    turns=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.booleans(), st.none() | st.integers(0, 12)),
        max_size=12,
    ),
    skipped=st.sets(st.integers(0, 30)),
)
def test_at_which_ticks_one_forgets_does_not_matter(
    turns: list[tuple[str, int, bool, int | None]], skipped: set[int]
) -> None:
    """Days; a word is heard on its day or up to twelve later. Ticks in which nothing is heard may be left out."""
    day = 86_400_000
    heard: dict[int, list[Word]] = {}
    for place, (id_, at, ends, over) in enumerate(turns):
        moment, until = T0 + at * day, None if over is None else moment_of(T0 + (at + over) * day)
        word: Word = end(moment, id_) if ends else wants(id_, wanted=place, at=moment, ends_at=until)
        heard.setdefault(at + (place * 5) % 12, []).append(word)
    books = DemandBook(), DemandBook()
    refusals: tuple[list[str], list[str]] = [], []
    for number in range(31):
        for book, refused in zip(books, refusals, strict=True):
            if number in heard or number == 30 or book is books[0] or number not in skipped:
                book.forget(T0 + number * day)
            for one in heard.get(number, ()):
                try:
                    book.apply(one)
                except RecordRefused as doubt:
                    refused.append(str(doubt))

    assert books[0].head() == books[1].head()
    assert refusals[0] == refusals[1]


def test_a_book_that_is_restored_goes_on_as_if_it_had_not_been_away() -> None:
    book = said(wants("a", ends_at=moment_of(T0 + 1)), wants("b"), end(T0, "c"), entitled("t", T0, {"limit": 3}))
    book.forget(WEEK_LATER + 1)
    again = told_again(book)

    for one in (book, again):
        one.apply(wants("e", at=T0 + 9))
        one.forget(WEEK_LATER + 2)
    assert (again.forgotten, set(again.demands), again.ended) == (T0, {"b", "e"}, {})
    assert again.head() == book.head()
    assert (again.quotas, again.at(WEEK_LATER)) == (book.quotas, book.at(WEEK_LATER))


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


def test_what_counts_from_one_tick_is_in_canonical_order() -> None:
    said_at_once = [ended(at=T0), demand(at=T0), tenant(at=T0), facts(at=T0)]
    kinds = [orjson.loads(body)["kind"] for body in due(admitted(said_at_once), T0)]

    assert kinds == ["facts", "tenant", "demand", "end"]


def test_repeats_are_dropped_by_their_place_in_their_topic() -> None:
    records = admitted([demand("a"), demand("b"), clock(T0 + 5000, DEMAND)])

    assert due([*records, *records], T0 + 60_000) == due(records, T0 + 60_000)


def test_what_is_held_survives_a_restart() -> None:
    before, after = Inputs(RULES), Inputs(RULES)
    for one in admitted([clock(T0, DEMAND), demand(at=T0 + 700), ended(at=T0 + 900), facts(at=T0 + 700)]):
        before.admit(one)
    after.restore(InputsHead.model_validate_json(orjson.dumps(before.head(), option=orjson.OPT_NON_STR_KEYS)))

    assert after.head() == before.head()
    assert after.due(T0 + 1000) == before.due(T0 + 1000)


def test_the_last_place_that_a_topic_can_have_survives_a_restart() -> None:
    before, after = Inputs(RULES, offsets={SITES: 2**63}), Inputs(RULES)
    after.restore(InputsHead.model_validate_json(orjson.dumps(before.head())))

    assert after.offsets == {SITES: 2**63}


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
        pytest.param(demand(workload="gaming"), "invalid", id="a-workload-nobody-knows"),
        pytest.param(tenant(quotas=[{"types": ["h101"], "limit": 1}]), "unknown_type", id="a-quota-of-an-unknown-type"),
        pytest.param(tenant(quotas=[{"types": ["h100-sxm"]}]), "invalid", id="a-quota-of-nothing"),
        pytest.param(tenant(quotas=[{"deserved": 2, "limit": 1}]), "invalid", id="more-deserved-than-the-limit"),
        pytest.param(tenant(quotas=[{"limit": -1}]), "invalid", id="a-limit-below-none"),
        pytest.param(tenant(quotas=[{"limit": 1}, {"deserved": 1}]), "invalid", id="two-quotas-of-the-same-types"),
        pytest.param(tenant(at=-1), "out_of_range", id="a-tenant-before-1970"),
        pytest.param(facts("fleet"), "reserved", id="a-site-named-as-the-fleet"),
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
        pytest.param(
            Record(SITES, 0, 0, T0, b"", b"{}", (("ce_type", b"io.fleettwin.tenant-revised.v1"),)),
            "unexpected",
            id="tenants-among-facts",
        ),
        pytest.param(tenant(quotas=[{"types": ["h100-sxm"], "deserved": 8}]), "", id="a-tenant-is-fine"),
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
