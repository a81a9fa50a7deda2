"""MLPerf power logs as record logs: every row as it was written, and a clock that waits for all that is in order."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from models.catalogue import shipped_catalogue
from models.cloudevents import EventType
from models.errors import ConfigurationError
from models.facts import SiteFacts
from models.frame import read_frame
from models.instants import instant_of
from models.record import Record
from models.telemetry import Readings, TelemetryDecoder
from models.topics import DEMAND, SITES, TELEMETRY
from streams.traces.measured import Measured
from streams.traces.mlperf import Samples, read_samples
from streams.traces.stream import LONGEST_SILENCE, TraceSite, trace_records
from tests.traces import shared

COLLECTION = "mlperf-smc-h100-power"
COLUMNS = ("kind", "nodes", "benchmark", "run", "node", "t_ms", "power_w")
START = 1_715_341_080_337
SITE = TraceSite("smc", "h100-sxm", 8, "traces/test")

Row = tuple[int, float]

WRITTEN: dict[int, list[Row]] = {
    0: [(0, 2090), (2005, 2103), (3995, 2079), (3995, 2079), (3736, 2100), (6026, 2087)],
    1: [(600, 7000), (2700, -43), (22_700, 7100), (24_663, 7000)],
    10: [(0, 2090), (2005, 2103), (3995, 2079), (3995, 2079), (3736, 2100), (6026, 2087)],
}
"""Milliseconds and watts by node: repeated, reordered and negative ones, a gap, a node whose file is another's."""

RUN = "result_5848-240517221859825376616_2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small collection with a run of three nodes, and another run that must not be mixed in."""
    with gzip.open(tmp_path / "node_power.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for node, rows in WRITTEN.items():
            for at, watts in rows:
                writer.writerow(("ac", 64, "gpt3", RUN, node, START + at, watts))
                writer.writerow(("dc", 64, "gpt3", RUN, node, START + at, watts - 40))
        writer.writerow(("ac", 8, "gpt3", RUN, 0, START, 1))
        writer.writerow(("ac", 64, "bert", RUN, 0, START, 1))
    return tmp_path


@pytest.fixture
def trace(folder: Path) -> Samples:
    return read_samples(folder)


def records(trace: Samples, run: str, kind: Measured = Measured.AC, site: TraceSite = SITE) -> list[Record]:
    return list(trace_records(trace.power(trace.run(run), kind), site))


def kind_of(record: Record) -> str:
    return (record.header("ce_type") or b"").decode()


def rows(found: list[Record]) -> dict[str, list[tuple[int, int, float]]]:
    """(at, sequence, watts) by node, in the log's order."""
    by_node = defaultdict(list)
    for record in found:
        if kind_of(record) == EventType.FRAME:
            _, batch = read_frame(record.value or b"")
            for row in batch.to_pylist():
                by_node[row["node"]].append((instant_of(row["at"]), row["sequence"], row["power_watts"]))
    return dict(by_node)


def clocks(found: list[Record], topic: str) -> list[int]:
    return [record.sent_at for record in found if record.topic == topic and kind_of(record) == EventType.CLOCK]


def test_every_row_is_a_reading_in_the_order_of_its_file(trace: Samples) -> None:
    assert rows(records(trace, "64/gpt3/5848-2")) == {
        f"node-{node:02d}": [(START + at, number, watts) for number, (at, watts) in enumerate(written)]
        for node, written in WRITTEN.items()
    }


def test_power_behind_the_supplies_is_another_trace(trace: Samples) -> None:
    found = rows(records(trace, "64/gpt3/5848-2", Measured.DC))

    assert [watts for _, _, watts in found["node-01"]] == [6960, -83, 7060, 6960]


def test_negative_watts_are_refused_by_the_twin_and_nothing_else_is(trace: Samples) -> None:
    decoder = TelemetryDecoder(shipped_catalogue())
    refused = [
        refusal.detail
        for record in records(trace, "64/gpt3/5848-2")
        if record.topic == TELEMETRY and isinstance(decoded := decoder.decode(record), Readings)
        for refusal in decoded.refusals
    ]

    assert len(refused) == 1
    assert "-43" in refused[0]


@pytest.mark.parametrize("topic", [TELEMETRY, SITES, DEMAND])
def test_a_clock_of_each_second_runs_from_before_the_first_reading_to_long_after_the_last(
    trace: Samples, topic: str
) -> None:
    found = clocks(records(trace, "64/gpt3/5848-2"), topic)

    assert found[0] == START // 1000 * 1000
    assert found[-1] == -(-(START + 24_663) // 1000) * 1000 + LONGEST_SILENCE
    assert {later - earlier for earlier, later in pairwise(found)} == {1000}


def assert_that_only_reordered_rows_are_late(found: list[Record]) -> int:
    """Count them: those that a clock had passed, which must be older than a row that their node wrote before."""
    clock, late, newest = 0, 0, defaultdict[str, int](int)
    for record in found:
        if record.topic == TELEMETRY and kind_of(record) == EventType.CLOCK:
            assert record.sent_at > clock
            clock = record.sent_at
        for node, readings in rows([record]).items():
            for at, _, _ in readings:
                assert clock > 0
                if at <= clock:
                    late += 1
                    assert at < newest[node]
                newest[node] = max(newest[node], at)
    return late


def test_only_a_row_that_its_node_wrote_late_comes_after_its_clock(trace: Samples) -> None:
    assert assert_that_only_reordered_rows_are_late(records(trace, "64/gpt3/5848-2")) == 0


def test_a_reading_on_the_second_comes_before_the_clock_of_that_second(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "node_power.csv.gz", "wt", newline="") as file:
        csv.writer(file).writerows([COLUMNS, ("ac", 1, "bert", RUN, 0, 5000, 1), ("ac", 1, "bert", RUN, 0, 3999, 2)])
    telemetry = [record for record in records(read_samples(tmp_path), "1/bert/5848-2") if record.topic == TELEMETRY]

    kinds = [(kind_of(record), record.sent_at) for record in telemetry[:4]]
    assert kinds == [(EventType.CLOCK, 3000), (EventType.CLOCK, 4000), (EventType.FRAME, 5000), (EventType.CLOCK, 5000)]


def test_site_facts_come_first_and_only_where_the_supply_is_known(trace: Samples) -> None:
    powered = TraceSite("smc", "h100-sxm", 8, "traces/test", supply_watts=5e5, pue=1.1)

    first = records(trace, "64/gpt3/5848-2", site=powered)[0]
    facts = SiteFacts.model_validate_json(first.value or b"")

    assert (facts.supply_watts, facts.pue) == (5e5, 1.1)
    assert first.sent_at == START // 1000 * 1000
    assert first.topic == SITES
    assert EventType.SITE_FACTS not in {kind_of(record) for record in records(trace, "64/gpt3/5848-2")}


def test_the_same_trace_makes_the_same_records(trace: Samples) -> None:
    assert records(trace, "64/gpt3/5848-2") == records(trace, "64/gpt3/5848-2")


def test_an_unknown_run_is_answered_with_those_that_come_close(trace: Samples) -> None:
    with pytest.raises(ConfigurationError, match=r"64/gpt3/5848-3.*64/gpt3/5848-2"):
        trace.run("64/gpt3/5848-3")


def test_a_folder_without_samples_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"node_power\.csv\.gz"):
        read_samples(tmp_path)


@pytest.mark.parametrize(
    "name", ["8/ssd/4957-1", "8/ssd/4957-2", "9/unet3d/5016-01", "64/llama2_70b_lora/5730-9", "1/resnet/5759-2"]
)
@pytest.mark.parametrize("kind", list(Measured))
def test_a_real_run_is_kept_whole(name: str, kind: Measured) -> None:
    folder = shared(COLLECTION)
    trace = read_samples(folder)
    run = trace.run(name)
    written = defaultdict(list)
    with gzip.open(folder / "node_power.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            if (row["kind"], row["run"], int(row["nodes"]), row["benchmark"]) == (
                kind,
                run.run,
                run.nodes,
                run.benchmark,
            ):
                written[f"node-{int(row['node']):02d}"].append((int(row["t_ms"]), float(row["power_w"])))

    found = records(trace, name, kind)

    assert {node: [(at, watts) for at, _, watts in kept] for node, kept in rows(found).items()} == dict(written)
    assert_that_only_reordered_rows_are_late(found)
