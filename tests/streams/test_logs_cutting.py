"""Cutting a log: what is wanted is kept as it is, and a replay of the part knows what the fleet knew."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.recordlog import LogDamaged, LogHeader, Part
from infra.settings import Settings
from models.cloudevents import ARROW, STRUCTURED, EventType
from models.errors import ConfigurationError
from models.instants import moment_of
from models.ledger import Admitted, AdmittedClock, AdmittedFacts, Source
from models.record import SENT_AT, Record
from models.topics import DEMAND, LEDGER, NODES, SHORTAGES, SITES, STATE, TELEMETRY
from streams.logs.cutting import Choice, Moment, cut_log
from streams.logs.parts import LogPart
from tests import builders
from tests.log_builders import clock, cut_off, facts, header_of, read, reading, written

BEGINS = 1_800_000_000_000


def cut(tmp_path: Path, records: list[Record], choice: Choice) -> list[Record]:
    cut_log(written(tmp_path / "log", records), tmp_path / "part", choice, "test")
    return read(tmp_path / "part")


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        pytest.param(Choice(), [0, 1, 2, 3, 4], id="all"),
        pytest.param(Choice(since=Moment(BEGINS + 1000)), [1, 2, 3, 4], id="from"),
        pytest.param(Choice(until=Moment(BEGINS + 1000)), [0], id="until"),
        pytest.param(Choice(Moment(BEGINS + 1000), Moment(BEGINS + 3000)), [1, 2, 4], id="between"),
        pytest.param(Choice(Moment(1000, True), Moment(3000, True)), [1, 2, 4], id="after-the-beginning"),
    ],
)
def test_a_part_is_what_was_sent_in_its_time_whatever_stands_where(
    tmp_path: Path, choice: Choice, kept: list[int]
) -> None:
    records = [reading("memphis", offset, BEGINS + 1000 * offset) for offset in range(4)]
    records.append(Record(TELEMETRY, 0, 9, BEGINS + 9000, b"memphis", b"", ((SENT_AT, b"%d" % (BEGINS + 2999)),)))

    assert cut(tmp_path, records, choice) == [records[place] for place in kept]


def test_bounds_in_the_wrong_order_are_told(tmp_path: Path) -> None:
    log = written(tmp_path / "log", [reading("memphis", 0, BEGINS)])

    with pytest.raises(ConfigurationError, match="--until is 5; expected more than --from, which is 7"):
        cut_log(log, tmp_path / "part", Choice(Moment(7), Moment(5)), "test")


def test_an_empty_log_has_an_empty_part(tmp_path: Path) -> None:
    assert cut(tmp_path, [], Choice(since=Moment(90_000, after_beginning=True))) == []


def test_only_the_topics_wanted_are_kept_and_named_in_the_header(tmp_path: Path) -> None:
    records = [reading("memphis", 0, BEGINS), facts("memphis", 0, BEGINS), clock(1, BEGINS)]
    header = LogHeader(created_by="test", partitions={TELEMETRY: 1, SITES: 1, LEDGER: 1})
    cut_log(written(tmp_path / "log", records, header), tmp_path / "part", Choice(topics=[SITES]), "test")

    assert read(tmp_path / "part") == [records[1]]
    assert header_of(tmp_path / "part").partitions == {SITES: 1}


STRUCTURED_CLOCK = Record(
    TELEMETRY, 0, 5, BEGINS, b"x", b'{"type":"%s"}' % EventType.CLOCK.encode(), (("content-type", STRUCTURED.encode()),)
)


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        pytest.param(reading("memphis", 0, BEGINS), True, id="a-reading-of-the-site"),
        pytest.param(reading("abilene", 0, BEGINS), False, id="a-reading-of-another"),
        pytest.param(Record(TELEMETRY, 0, 0, BEGINS, None, b"{}"), False, id="a-reading-of-nobody"),
        pytest.param(clock(0, BEGINS), True, id="a-clock"),
        pytest.param(STRUCTURED_CLOCK, True, id="a-clock-in-a-structured-event"),
        pytest.param(facts("memphis", 0, BEGINS), True, id="facts-of-the-site"),
        pytest.param(facts("abilene", 0, BEGINS), False, id="facts-of-another"),
        pytest.param(Record(DEMAND, 0, 0, BEGINS, b"pretrain", b"{}"), True, id="demand"),
        pytest.param(Record(NODES, 0, 0, BEGINS, b"memphis", b""), True, id="a-node-frame-of-the-site"),
        pytest.param(Record(STATE, 0, 0, BEGINS, b"fleet", b""), False, id="the-fleet's-state"),
        pytest.param(Record(LEDGER, 0, 0, BEGINS, b"memphis", b""), False, id="the-ledger"),
        pytest.param(Record(SHORTAGES, 0, 0, BEGINS, b"memphis", b""), False, id="a-shortage"),
    ],
)
def test_a_log_of_some_sites_has_their_records_and_all_clocks_and_demand(
    tmp_path: Path, record: Record, kept: bool
) -> None:
    assert cut(tmp_path, [record], Choice(sites=["memphis"])) == [record] * kept


def admitted(offset: int, body: AdmittedClock | AdmittedFacts) -> Record:
    source = Source(topic=SITES, partition=0, offset=offset)
    value = Admitted(source=source, body=body).model_dump_json().encode()
    return Record(LEDGER, 0, offset, BEGINS, b"k", value, (("ce_type", EventType.ADMITTED.encode()),))


def test_what_was_said_before_comes_along_if_it_is_asked_for(tmp_path: Path) -> None:
    moment = moment_of(BEGINS)
    away = Record(LEDGER, 0, 2, BEGINS, b"0", b"{}", (("ce_type", EventType.AWAY.encode()),))
    said = [
        facts("memphis", 0, BEGINS),
        Record(DEMAND, 0, 0, BEGINS, b"pretrain", b"{}"),
        admitted(0, AdmittedFacts(site="memphis", at=moment, supply_watts=1.0, pue=1.0)),
        away,
    ]
    past = [
        reading("memphis", 0, BEGINS),
        clock(1, BEGINS, SITES),
        clock(1, BEGINS, DEMAND),
        admitted(1, AdmittedClock(until=moment)),
        Record(LEDGER, 0, 3, BEGINS, b"0", b"{}", (("ce_type", EventType.SAMPLES.encode()),)),
        Record(LEDGER, 0, 4, BEGINS, b"0", b"{", (("ce_type", EventType.AWAY.encode() + b"!"),)),
    ]
    now = [reading("memphis", 1, BEGINS + 5000)]
    choice = Choice(since=Moment(BEGINS + 1), with_facts=True)

    assert cut(tmp_path, [*past, *said, *now], choice) == [*said, *now]


def test_an_admitted_record_that_says_nothing_is_kept(tmp_path: Path) -> None:
    broken = Record(LEDGER, 0, 0, BEGINS, b"k", b"{", (("ce_type", EventType.ADMITTED.encode()),))

    assert cut(tmp_path, [broken], Choice(since=Moment(BEGINS + 1), with_facts=True)) == [broken]


def test_the_header_says_what_the_part_was_cut_from(tmp_path: Path) -> None:
    log = written(tmp_path / "log", [reading("memphis", 0, BEGINS)])
    choice = Choice(Moment(BEGINS), Moment(5000, True), [TELEMETRY, SITES], ["memphis"], with_facts=True)
    cut_log(log, tmp_path / "part", choice, "cutter")
    cut_log(tmp_path / "part", tmp_path / "again", Choice(), "cutter")

    first = Part(
        log="log",
        created_by="test",
        since=BEGINS,
        until=BEGINS + 5000,
        topics=(SITES, TELEMETRY),
        sites=("memphis",),
        with_facts=True,
    )
    assert header_of(tmp_path / "part") == LogHeader(created_by="cutter", made_from=(first,))
    assert header_of(tmp_path / "again").made_from == (first, Part(log="part", created_by="cutter"))


def test_a_damaged_log_is_cut_only_where_that_is_wished(tmp_path: Path) -> None:
    records = [reading("memphis", offset, BEGINS + offset) for offset in range(50)]
    broken = cut_off(tmp_path / "broken", written(tmp_path / "log", records))

    with pytest.raises(LogDamaged):
        cut_log(broken, tmp_path / "part", Choice(), "test")
    assert not (tmp_path / "part").exists()

    found = cut_log(broken, tmp_path / "part", Choice(), "test", up_to_damage=True)
    assert found.damage is not None
    assert 0 < found.kept.total() < 50
    assert read(tmp_path / "part") == records[: found.kept.total()]
    assert header_of(tmp_path / "part").made_from[0].up_to_damage


def seconds(first: int, last: int) -> list[Record]:
    """A fleet of one site that says its facts once, in second 0."""
    records = [builders.facts(supply_watts=2e6)] if first == 0 else []
    for second in range(first, last):
        at = BEGINS + second * 1000
        records += [builders.frame([builders.row(at=at)], content_type=ARROW)]
        records += [builders.clock(at + 900, topic) for topic in (TELEMETRY, SITES, DEMAND)]
    return records


def test_a_replay_of_a_part_knows_the_site_facts_from_before(tmp_path: Path) -> None:
    from streams.oracle.offline import fold_log, fold_part

    log = written(tmp_path / "log", list(builders.numbered(seconds(0, 20))))
    cut_log(log, tmp_path / "bare", Choice(since=Moment(10_000, True)), "test")
    cut_log(log, tmp_path / "knowing", Choice(since=Moment(10_000, True), with_facts=True), "test")

    known = []
    for name in ("bare", "knowing"):
        run = fold_log(read(tmp_path / name), {TELEMETRY: 1}, Settings())
        known.append([facts.supply_watts for facts in run.twin.fleet.facts.values()])
    assert known == [[], [2e6]]
    assert fold_part(Settings(), LogPart(tmp_path / "knowing")).summary()["readings"]["observed"] == 10
