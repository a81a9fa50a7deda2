"""Replay in one process: a log is folded, and what comes out is counted."""

from __future__ import annotations

from dataclasses import replace

from infra.settings import Settings
from models.partitioning import NOT_PLACED
from models.record import Record
from models.topics import DEMAND, SITES, STATE, TELEMETRY
from streams.oracle.offline import fold_log
from tests.builders import T0, clock, demand, facts, frame, numbered, row


def log() -> list[Record]:
    """Ten seconds of one site, with demand that it cannot serve."""
    records = [clock(T0 - 500, topic) for topic in (TELEMETRY, SITES, DEMAND)]
    records += [facts(at=T0 - 1000), demand(at=T0 - 1000, wanted=99)]
    for second in range(10):
        at = T0 + second * 1000
        records += [frame([row("a", at, power_watts=1000.0, allocated=0), row("b", at, power_watts=-1.0)])]
        records += [clock(at + 500, topic) for topic in (TELEMETRY, SITES, DEMAND)]
    return [*records, Record(STATE, 0, 0, T0, None, b"not ours to fold")]


def test_the_summary_counts_what_came_out() -> None:
    summary = fold_log(numbered(log()), {TELEMETRY: 1}, Settings()).summary()

    assert summary["readings"] == {"observed": 10, "refused": 10, "late": 0, "duplicate": 0, "superseded": 0}
    assert summary["samples"] == {"site": 10, "fleet": 10}
    assert (summary["dead_letters"], summary["energy_joules"]) == (10, {"memphis": 9000})
    assert {event["scope"]["kind"]: event["change"] for event in summary["shortages"]} == {
        "fleet": "opened",
        "project": "opened",
    }


def test_records_that_were_never_sent_are_placed_as_if_they_were() -> None:
    unplaced = [replace(one, partition=NOT_PLACED, offset=-1) for one in log()]
    folded = [fold_log(unplaced, {TELEMETRY: many}, Settings()).summary() for many in (1, 4)]

    assert folded[0] == folded[1]
    assert folded[0] == fold_log(numbered(log()), {TELEMETRY: 1}, Settings()).summary()
