"""Parts of logs: what they hold at their bounds, what holds on from before, and that they agree with the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.rules import rules_of
from infra.settings import Settings, TwinSettings
from models.cloudevents import EventType, headers
from models.errors import ConfigurationError
from models.ledger import Away, Samples
from models.record import SENT_AT, Outgoing, Record
from models.topics import DEMAND, LEDGER, SITES, STATE, TELEMETRY
from streams.logs.ledger_cut import LedgerCut
from streams.logs.parts import LogPart, Span, first_sent_at, told
from streams.oracle.offline import fold_log, fold_part
from tests.builders import (
    CATALOGUE,
    T0,
    clock,
    demand,
    ended,
    facts,
    frame,
    in_ledger,
    numbered,
    row,
    sample,
    samples_of,
    tenant,
)
from tests.log_builders import write_log
from twin.admission import presence
from twin.offline import OfflineTwin

SECONDS = 40
FROM = T0 + 10_000
WHOLE = Span()
LAYOUT = {TELEMETRY: 1, SITES: 1, DEMAND: 1}


def inputs() -> list[Record]:
    """Two sites for forty seconds, with what people say: each record was sent when it is about."""
    words = [
        facts("memphis", T0),
        facts("lulea", T0, pue=1.1),
        demand("early", T0, wanted=8, types=["h100-sxm"], tenant="t"),
        demand("gone", T0, wanted=99),
        tenant("t", T0 + 1000, quotas=[{"deserved": 8}]),
        facts("lulea", T0 + 4000, pue=1.5, supply_watts=2e6),
        ended("gone", T0 + 5000),
        demand("late", T0 + 20_000, wanted=80, project="q", types=["h100-sxm"]),
        demand("late", T0 + 30_000, wanted=8, project="q", types=["h100-sxm"]),
    ]
    out: list[Record] = []
    for second in range(SECONDS):
        at = T0 + second * 1000
        out += [word for word in words if word.timestamp == at]
        for site in ("memphis", "lulea"):
            rows = [
                row("a", at, power_watts=1000.0 + second, allocated=0),
                row("b", at, power_watts=900.0, allocated=8),
            ]
            out.append(frame(rows, site, timestamp=at))
        out += [clock(at + 500, topic, timestamp=at + 500) for topic in LAYOUT]
    return list(numbered(out))


def with_ledger(records: Iterable[Record], later: int = 0) -> Iterator[Record]:
    """The records, each with what the twin makes of it in the ledger, written so much later."""
    twin = OfflineTwin(rules_of(TwinSettings()), CATALOGUE, 1)
    offset = 0
    for record in records:
        yield record
        entries = in_ledger([output for output in twin.fold(record) if output.topic == LEDGER], offset)
        offset += len(entries)
        yield from (replace(entry, timestamp=record.timestamp + later) for entry in entries)


def summary(path: Path, span: Span = WHOLE) -> dict[str, Any]:
    return fold_part(Settings(), LogPart(path, span)).summary()


def states(path: Path, span: Span = WHOLE) -> dict[str, Any]:
    """What is published of each tick, but for what is counted since the beginning."""
    part = LogPart(path, span)
    given = part.holds_ledger
    twin = OfflineTwin(rules_of(TwinSettings()), CATALOGUE, 1, given)
    found = {}
    for record in part.with_ledger() if given else (*part.words_before(), *part.inputs()):
        for output in twin.fold(record):
            if output.topic == STATE:
                known = orjson.loads(output.value or b"")
                found[output.identity] = {k: v for k, v in known.items() if k not in ("intake", "energy_joules")}
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_log(tmp_path_factory.mktemp("parts") / "plain.log", inputs(), LAYOUT)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parts") / "ledger.log"
    return write_log(path, with_ledger(inputs()), {**LAYOUT, LEDGER: 1})


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a replay a day later: inputs say when they were first sent, the ledger does not."""
    path = tmp_path_factory.mktemp("parts") / "replayed.log"
    day = 86_400_000
    records = [
        replace(
            one,
            timestamp=one.timestamp + day,
            headers=one.headers if one.topic == LEDGER else (*one.headers, (SENT_AT, b"%d" % one.timestamp)),
        )
        for one in with_ledger(inputs())
    ]
    return write_log(path, records, {**LAYOUT, LEDGER: 1})


def test_a_part_has_its_first_instant_and_not_that_of_its_end(plain: Path) -> None:
    times = [record.sent_at for record in LogPart(plain, Span(T0 + 1000, T0 + 2000)).inputs()]

    assert (min(times), max(times)) == (T0 + 1000, T0 + 1500)


def test_two_parts_have_the_whole_between_them(plain: Path) -> None:
    parts = [list(LogPart(plain, span).inputs()) for span in (Span(), Span(None, FROM), Span(FROM, None))]

    assert parts[0] == parts[1] + parts[2]
    assert parts[1]
    assert parts[2]


def test_the_instant_of_a_record_is_when_it_was_first_sent(replayed: Path) -> None:
    times = {record.sent_at for record in LogPart(replayed, Span(T0 + 1000, T0 + 1001)).inputs()}

    assert times == {T0 + 1000}


def test_what_people_said_before_holds_on_without_clocks_and_nodes(plain: Path) -> None:
    words = list(LogPart(plain, Span(FROM)).words_before())

    assert [record.key for record in words] == [b"memphis", b"lulea", b"early", b"gone", b"t", b"lulea", b"gone"]
    assert {record.topic for record in words} == {SITES, DEMAND}


def test_nothing_comes_before_a_log_from_its_beginning(plain: Path) -> None:
    assert list(LogPart(plain, Span(None, FROM)).words_before()) == []


@pytest.mark.parametrize("name", ["plain", "ledger", "replayed"])
def test_a_part_says_of_each_tick_what_the_whole_says(name: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(name)
    whole, part = states(path), states(path, Span(FROM))

    first = min(int(identity.rpartition("@")[2]) for identity in part)
    assert FROM - 1000 <= first <= FROM + 1000
    assert part == {identity: state for identity, state in whole.items() if int(identity.rpartition("@")[2]) >= first}


@pytest.mark.parametrize("name", ["plain", "ledger", "replayed"])
def test_shortages_that_open_within_a_part_are_those_of_the_whole(name: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(name)
    whole = [event for event in summary(path)["shortages"] if event["at"] >= told(T0 + 20_000)]

    assert {event["change"] for event in whole} == {"opened", "resolved"}
    assert summary(path, Span(FROM))["shortages"] == whole


@pytest.mark.parametrize("name", ["plain", "ledger", "replayed"])
def test_a_part_ends_before_its_end(name: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(name)
    whole, part = states(path), states(path, Span(None, FROM))

    last = max(int(identity.rpartition("@")[2]) for identity in part)
    assert FROM - 2000 <= last < FROM
    assert part == {identity: state for identity, state in whole.items() if int(identity.rpartition("@")[2]) <= last}


def test_energy_is_that_of_the_part_whoever_folded_it(plain: Path, ledger: Path, replayed: Path) -> None:
    found = [summary(path, Span(FROM))["energy_joules"] for path in (plain, ledger, replayed)]

    assert found[0]["memphis"] < summary(plain)["energy_joules"]["memphis"] * 0.8
    for other in found[1:]:
        assert other == {site: pytest.approx(joules, rel=0.05) for site, joules in found[0].items()}


def test_a_whole_log_with_the_ledger_comes_to_what_its_inputs_come_to(plain: Path, ledger: Path) -> None:
    assert summary(ledger) == summary(plain)


def test_the_ledgers_word_that_a_partition_is_away_holds_on() -> None:
    (said,) = in_ledger([presence(3, away=True, instant=T0)])

    assert Away(partition=3).model_dump_json().encode() == said.value
    assert LedgerCut(FROM, None).cut(said) == said


def test_of_samples_that_reach_over_the_beginning_the_ticks_within_are_kept() -> None:
    ticks = [FROM - 1000, FROM, FROM + 1000]
    step = Samples(
        partition=0,
        partitions=2,
        after=FROM - 2000,
        through=FROM + 1000,
        ticks=tuple(ticks),
        samples=tuple(sample("memphis", tick) for tick in ticks),
    )
    named = headers(EventType.SAMPLES, "//test", "0", step.through)
    cut = LedgerCut(FROM, None).cut(Record(LEDGER, 0, 0, T0, b"0", step.model_dump_json().encode(), named))

    assert cut is not None
    assert samples_of([Outgoing(LEDGER, cut.key, cut.value, cut.headers, "0")]) == list(step.samples[1:])
    assert orjson.loads(cut.value or b"")["ticks"] == ticks[1:]


def test_of_the_ledger_before_a_part_only_words_are_kept(ledger: Path) -> None:
    part = LogPart(ledger, Span(FROM))
    before = []
    for record in part.with_ledger():
        entry = orjson.loads(record.value or b"") if record.topic == LEDGER else {}
        if entry.get("kind") == "samples":
            break
        before += [entry["body"]["kind"]] if entry else []

    assert sorted(set(before)) == ["demand", "end", "facts", "tenant"]
    assert before.count("facts") == 3


def test_a_ledger_of_another_time_than_its_inputs_is_refused_for_a_part(tmp_path: Path, plain: Path) -> None:
    long_ago = [replace(one, timestamp=one.timestamp - 10**9) for one in inputs() if one.topic == TELEMETRY]
    entries = [record for record in with_ledger(inputs()) if record.topic == LEDGER]
    path = write_log(tmp_path / "mixed.log", [*long_ago, *entries], {**LAYOUT, LEDGER: 1})

    with pytest.raises(ConfigurationError, match="a time that the log's ledger tells of"):
        fold_part(Settings(), LogPart(path, Span(None, T0 - 10**8)))


def test_a_part_without_records_is_refused_with_what_there_is(plain: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        LogPart(plain, Span(T0 + 10**9)).require_inputs()

    assert told(T0) in str(refused.value)
    assert told(T0 + SECONDS * 1000 - 500) in str(refused.value)


def test_the_first_record_says_when_a_log_begins(plain: Path, tmp_path: Path) -> None:
    assert first_sent_at(plain) == T0
    assert first_sent_at(write_log(tmp_path / "empty.log", [])) is None


def test_records_and_a_part_of_them_fold_to_the_same(plain: Path) -> None:
    assert fold_log(inputs(), LAYOUT, Settings()).summary() == summary(plain)
