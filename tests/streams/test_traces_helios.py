"""Tenants' minutes as record logs: at each minute the twin sees their capacity, what is free and what they want."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.traces.command import app
from infra.recordlog import LogReader
from infra.rules import rules_of
from infra.settings import read_settings
from models.catalogue import shipped_catalogue
from models.cloudevents import EventType
from models.demand import DemandRevised
from models.errors import ConfigurationError
from models.instants import instant_of, moment_of
from models.partitioning import placed
from models.record import Record
from models.topics import DEMAND, SITES, STATE, TELEMETRY
from streams.traces.helios import MINUTE, RULES, TYPE, Minute, Tenant, packed, read_tenants, tenant_steps
from streams.traces.inventory import inventory_records
from tests.traces import shared
from twin.offline import OfflineTwin
from twin.rules import Rules

COLLECTION = "helios-earth-vc"
COLUMNS = ("time", "total_job_num", "total_gpu_num", "running_gpu_num", "pending_gpu_num", "idle_gpu_num")
START = 1_588_291_200_000
PARTITIONS = {TELEMETRY: 3, SITES: 1, DEMAND: 1}

Row = tuple[int, int, int, int]
"""Minutes after the start, capacity, running, pending."""


def written(folder: Path, tenant: str, rows: Iterable[Row], *, suffix: str = ".csv.gz") -> Path:
    """A tenant's file."""
    lines = [
        (moment_of(START + at * MINUTE).strftime("%Y-%m-%d %H:%M:%S"), 1, capacity, running, pending, 0)
        for at, capacity, running, pending in rows
    ]
    path = folder / f"{tenant}{suffix}"
    with gzip.open(path, "wt", newline="") if suffix.endswith(".gz") else path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *lines])
    return path


def tenant(rows: Iterable[Row], name: str = "vcA") -> Tenant:
    return Tenant(name, tuple(Minute(START + at * MINUTE, *counts) for at, *counts in rows))


def records(*tenants: Tenant, source: str = "traces/test") -> list[Record]:
    return list(inventory_records(tenant_steps(tenants), source, RULES.tick))


def states(found: Iterable[Record], rules: Rules = RULES) -> dict[tuple[int, str], dict[str, Any]]:
    """What the twin says of the sites and of the fleet, by minutes after the start; nothing may be refused."""
    twin = OfflineTwin(rules, shipped_catalogue(), PARTITIONS[TELEMETRY])
    said = {}
    for record in placed(found, PARTITIONS):
        for output in twin.fold(record):
            assert not output.topic.endswith(".dlq"), output.value
            if output.topic == STATE:
                state = orjson.loads(output.value or b"")
                minute = (instant_of(datetime.fromisoformat(state["tick"])) - START) // MINUTE
                said[minute, state.get("site", "fleet")] = state
    return said


def kinds(found: Iterable[Record], kind: EventType) -> list[Record]:
    return [record for record in found if record.header("ce_type") == kind.encode()]


def demands(found: Iterable[Record]) -> list[tuple[int, int, int]]:
    """Minutes after the start, wanted, granted."""
    revisions = [
        DemandRevised.model_validate_json(record.value or b"") for record in kinds(found, EventType.DEMAND_REVISED)
    ]
    return [((instant_of(one.at) - START) // MINUTE, one.wanted, one.granted) for one in revisions]


minutes = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60))


@settings(max_examples=40, deadline=None)
@given(st.lists(minutes, min_size=1, max_size=8), st.lists(minutes, min_size=1, max_size=8), st.integers(0, 59_999))
def test_every_minute_is_a_tick_with_exactly_the_capacity_and_what_is_free_of_it(
    one: list[tuple[int, int, int]], other: list[tuple[int, int, int]], grace: int
) -> None:
    tenants = [
        tenant([(at, *counts) for at, counts in enumerate(rows)], name) for name, rows in (("vcA", one), ("vcB", other))
    ]
    said = states(records(*tenants), replace(RULES, grace=grace))

    for name, rows in (("vcA", one), ("vcB", other)):
        assert [
            (said[at, name]["in_service"], said[at, name]["allocated"], said[at, name]["free"])
            for at in range(len(rows))
        ] == [(capacity, running, max(capacity - running, 0)) for capacity, running, _ in rows]
    assert sorted(at for at, name in said if name == "fleet") == list(range(max(len(one), len(other))))


@settings(max_examples=40, deadline=None)
@given(st.lists(minutes, min_size=1, max_size=8))
def test_the_fleet_wants_what_runs_and_what_is_pending_at_every_minute(rows: list[tuple[int, int, int]]) -> None:
    said = states(records(tenant((at, *counts) for at, counts in enumerate(rows))))

    assert [(said[at, "fleet"]["wanted"], said[at, "fleet"]["granted"]) for at in range(len(rows))] == [
        (running + pending, running) for _, running, pending in rows
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=8))
def test_what_is_pending_shows_in_what_is_wanted_alone(rows: list[tuple[int, int]]) -> None:
    with_pending, without = (
        records(tenant((at, *counts, pending) for at, counts in enumerate(rows))) for pending in (7, 0)
    )

    assert [one for one in with_pending if one.topic != DEMAND] == [one for one in without if one.topic != DEMAND]
    assert demands(with_pending) == [(at, wanted + 7, granted) for at, wanted, granted in demands(without)]


def test_the_demand_is_of_the_tenant_for_its_own_site_and_may_be_placed_anywhere_in_it() -> None:
    (revised,) = kinds(records(tenant([(0, 16, 8, 4)])), EventType.DEMAND_REVISED)

    assert DemandRevised.model_validate_json(revised.value or b"") == DemandRevised(
        demand="vcA",
        project="vcA",
        tenant="vcA",
        at=moment_of(START),
        wanted=12,
        granted=8,
        types=(TYPE,),
        sites=("vcA",),
        gang=1,
    )


def test_a_demand_is_revised_when_it_changes_and_not_else() -> None:
    rows = [(0, 16, 8, 0), (1, 16, 8, 0), (2, 16, 8, 4), (3, 16, 12, 0), (4, 24, 12, 0)]

    assert demands(records(tenant(rows))) == [(0, 8, 8), (2, 12, 8), (3, 12, 12)]


def test_running_accelerators_fill_nodes_of_eight_one_by_one_and_the_last_node_is_what_is_left() -> None:
    nodes = packed(TYPE, 20, 11, 3)

    assert [(node.installed, node.in_service, node.allocated) for node in nodes] == [(8, 8, 8), (8, 8, 3), (4, 4, 0)]


@pytest.mark.parametrize(
    ("running", "said"),
    [
        pytest.param(8, [("in_service", 8, 8), ("maintenance", 0, 0), ("maintenance", 0, 0)], id="empty-nodes-leave"),
        pytest.param(12, [("in_service", 8, 8), ("draining", 0, 4), ("maintenance", 0, 0)], id="work-goes-on"),
    ],
)
def test_nodes_that_are_gone_say_so(running: int, said: list[tuple[str, int, int]]) -> None:
    assert [(node.state.value, node.in_service, node.allocated) for node in packed(TYPE, 8, running, 3)] == said


def test_a_node_that_is_gone_never_goes_stale() -> None:
    rows = [(0, 24, 0, 0), *((at, 8, 0, 0) for at in range(1, 181))]
    said = states(records(tenant(rows)))

    assert {(state["nodes"]["stale"], state["nodes"]["lost"]) for state in said.values()} == {(0, 0)}
    assert (said[180, "vcA"]["in_service"], said[180, "vcA"]["nodes"]["maintenance"]) == (8, 2)


def test_only_nodes_with_news_report_until_all_repeat_themselves_after_half_an_hour() -> None:
    rows = [(at, 16, 16 if at >= 5 else 12, 0) for at in range(31)]
    frames = kinds(records(tenant(rows)), EventType.FRAME)

    assert [(record.sent_at - START) // MINUTE for record in frames] == [0, 5, 30]
    assert states(records(tenant(rows)))[30, "vcA"]["intake"]["observed"] == 2 + 1 + 2


def test_without_rows_the_nodes_are_silent_and_go_stale_and_the_demand_stands() -> None:
    said = states(records(tenant([(0, 16, 8, 4), (300, 16, 16, 0)]), tenant([(200, 8, 8, 0)], "vcB")))

    heard = [(said[at, "vcA"]["nodes"]["reporting"], said[at, "vcA"]["nodes"]["lost"]) for at in (45, 46, 121, 300)]
    assert heard == [(2, 0), (0, 0), (0, 2), (2, 0)]
    assert [said[at, "fleet"]["pending"] for at in (0, 299, 300)] == [4, 4, 0]


@pytest.mark.parametrize("topic", [TELEMETRY, SITES, DEMAND])
def test_a_clock_stands_before_the_first_minute_after_each_and_just_before_the_one_after_the_last(topic: str) -> None:
    found = kinds(records(tenant([(0, 8, 8, 0), (3, 8, 8, 0)])), EventType.CLOCK)

    sent = [record.sent_at - START for record in found if record.topic == topic]
    assert sent == [-1, 0, MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE - 1]


def test_records_stand_in_the_order_in_which_they_were_sent_and_a_clock_after_all_that_it_speaks_of() -> None:
    found = records(tenant([(0, 8, 8, 0), (2, 8, 4, 0)]), tenant([(1, 8, 8, 1)], "vcB"))
    times = [record.sent_at for record in found]
    clocks = [record.header("ce_type") == EventType.CLOCK.encode() for record in found]

    assert times == sorted(times)
    assert all(times[at] < times[at + 1] or clocks[at + 1] for at in range(len(found) - 1) if clocks[at])


def test_rows_may_stand_in_any_order_and_the_last_of_a_minute_counts(tmp_path: Path) -> None:
    written(tmp_path, "vcA", [(2, 16, 2, 0), (0, 16, 9, 9), (1, 16, 1, 0), (0, 16, 0, 3), (1, 16, 1, 0)])

    assert read_tenants(tmp_path) == (tenant([(0, 16, 0, 3), (1, 16, 1, 0), (2, 16, 2, 0)]),)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_files_may_be_packed_or_not_and_others_are_left_alone(tmp_path: Path, suffix: str) -> None:
    written(tmp_path, "vcA", [(0, 16, 0, 3)], suffix=suffix)
    (tmp_path / "Earth_gpu_number.csv").write_text("date,vcA\n")
    (tmp_path / "vc.txt").write_text("not a table")

    assert read_tenants(tmp_path) == (tenant([(0, 16, 0, 3)]),)


def test_columns_may_stand_in_any_order_and_counts_as_pandas_writes_them(tmp_path: Path) -> None:
    text = "pending_gpu_num,other,time,running_gpu_num,total_gpu_num\n3.0,x,2020-05-01T00:00:00+00:00,2,16.0\n\n"
    (tmp_path / "vcA.csv").write_text("\ufeff" + text, encoding="utf-8")

    assert read_tenants(tmp_path) == (tenant([(0, 16, 2, 3)]),)


def test_tenants_and_time_can_be_chosen_the_end_not_among_it(tmp_path: Path) -> None:
    for name in ("vcA", "vcB", "vcC"):
        written(tmp_path, name, [(at, 8, at, 0) for at in range(5)])

    assert read_tenants(tmp_path, ["vcC", "vcA"], START + MINUTE, START + 3 * MINUTE) == (
        tenant([(1, 8, 1, 0), (2, 8, 2, 0)], "vcA"),
        tenant([(1, 8, 1, 0), (2, 8, 2, 0)], "vcC"),
    )


GOOD = "time,total_gpu_num,running_gpu_num,pending_gpu_num\n2020-05-01 00:00:00,16,8,0\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "columns.*time among them", id="an-empty-file"),
        pytest.param(GOOD.replace("pending", "waiting"), "columns.*waiting_gpu_num.*pending_gpu_num", id="no-column"),
        pytest.param(GOOD.replace("running", "total"), "columns.*total_gpu_num among them, once", id="a-column-twice"),
        pytest.param(GOOD + "2020-05-01 00:01:00,1e", "line 3 is '2 fields'; expected 4", id="cut-short"),
        pytest.param(GOOD + "2020-05-01 00:01:00,16,x,0", "line 3: running_gpu_num is 'x'", id="no-number"),
        pytest.param(GOOD + "2020-05-01 00:01:00,16,,0", "line 3: running_gpu_num is ''", id="nothing"),
        pytest.param(GOOD + "2020-05-01 00:01:00,16,nan,0", "line 3: running_gpu_num is 'nan'", id="not-a-number"),
        pytest.param(GOOD + "2020-05-01 00:01:00,16,8,-1", "line 3: pending_gpu_num is '-1'", id="negative"),
        pytest.param(GOOD + "2020-05-01 00:01:00,2.5,8,0", "line 3: total_gpu_num is '2.5'", id="a-part-of-one"),
        pytest.param(GOOD + "2020-05-01 00:01:00,1e9,8,0", "line 3: total_gpu_num is '1e9'", id="absurd"),
        pytest.param(GOOD + "2020-05-01 00:01:30,16,8,0", "line 3: time is '2020-05-01 00:01:30'", id="half-a-minute"),
        pytest.param(GOOD + "1.5.2020 00:01,16,8,0", r"line 3: time is '1\.5\.2020 00:01'", id="another-time"),
        pytest.param(GOOD + "0001-01-01 00:00:00,16,8,0", "line 3: time is '0001-01-01", id="before-1970"),
        pytest.param(GOOD + "2020-05-01 00:01:00,16\x00,8,0", "line 3: total_gpu_num|NUL", id="a-null-byte"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "vcA.csv").write_text(text)

    with pytest.raises(ConfigurationError, match=rf"(?s)vcA\.csv.*({said})"):
        read_tenants(tmp_path)


def test_a_packed_file_that_ends_too_soon_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "vcA", [(at, 16, 8, at % 7) for at in range(500)])
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(ConfigurationError, match=r"vcA\.csv\.gz.*a whole CSV file"):
        read_tenants(tmp_path)


def test_a_file_that_is_not_packed_as_it_says_is_named(tmp_path: Path) -> None:
    (tmp_path / "vcA.csv.gz").write_text(GOOD)

    with pytest.raises(ConfigurationError, match=r"vcA\.csv\.gz.*a whole CSV file"):
        read_tenants(tmp_path)


def test_a_tenant_with_two_files_is_named(tmp_path: Path) -> None:
    for suffix in (".csv", ".csv.gz"):
        written(tmp_path, "vcA", [(0, 16, 8, 0)], suffix=suffix)

    with pytest.raises(ConfigurationError, match=r"vcA\.csv\.gz.*one file of that tenant, beside vcA\.csv"):
        read_tenants(tmp_path)


def test_a_folder_without_tenants_a_tenant_that_is_not_there_and_a_time_without_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a folder with vc"):
        read_tenants(tmp_path)
    written(tmp_path, "vcA", [(0, 16, 8, 0)])
    with pytest.raises(ConfigurationError, match="--tenant is 'vcB'; expected one of vcA"):
        read_tenants(tmp_path, ["vcB"])
    with pytest.raises(ConfigurationError, match="rows of the tenants"):
        read_tenants(tmp_path, begin=START + MINUTE)


def test_the_command_writes_the_log_and_says_for_which_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "vcA", [(at, 16, 8, 0) for at in range(4)])
    written(tmp_path, "vcB", [(at, 16, 8, 0) for at in range(4)])
    out = tmp_path / "helios.log"
    chosen = ["--tenant", "vcB", "--from", "2020-05-01T00:01:00", "--until", "2020-05-01T00:03:00"]

    result = CliRunner().invoke(app, ["convert", "helios", str(tmp_path), "--out", str(out), *chosen])

    assert result.exit_code == 0, result.output
    with LogReader(out) as log:
        assert list(log) == records(tenant([(1, 16, 8, 0), (2, 16, 8, 0)], "vcB"), source="traces/helios")
        assert log.header.rules == {"trace": "helios", "tenants": ["vcB"], **asdict(RULES)}
    for setting in result.output.split("meant for ")[1].split():
        name, _, value = setting.partition("=")
        monkeypatch.setenv(name, value)
    assert rules_of(read_settings().twin) == RULES


def test_real_files_are_read_whole() -> None:
    tenants = read_tenants(shared(COLLECTION), ["vcSoL", "vcvlY"])

    assert [len(found.minutes) for found in tenants] == [21_600, 21_600]
    assert [sum(minute.pending > 0 for minute in found.minutes) for found in tenants] == [20, 404]
