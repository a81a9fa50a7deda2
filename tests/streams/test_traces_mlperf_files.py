"""MLPerf's power logs as they were published: a file per node, read like the ones that were gathered."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from models.errors import ConfigurationError
from streams.traces.measured import Measured
from streams.traces.mlperf import read_samples
from streams.traces.mlperf_files import node_files, read_node_file
from streams.traces.stream import NodePower, TraceSite, trace_records
from tests.mlperf_files import write_node_file

RUN = "result_5848-240517221859825376616_2"
NAME = "64/gpt3/5848-2"
START = 1_715_341_080_337

WRITTEN = {
    2: [(START, 2090), (START + 2005, 2103), (START + 2005, 2103), (START + 1990, 2100)],
    10: [(START + 600, 7000), (START + 2700, -43)],
}
"""Samples by node: repeated, reordered and negative ones."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of two nodes at the wall and behind the supplies, and other runs that must not be mixed in."""
    for node, samples in WRITTEN.items():
        write_node_file(tmp_path, "ac", "64", "gpt3", RUN, str(node), samples=samples)
        write_node_file(
            tmp_path, "dc", "64", "gpt3", RUN, str(node), samples=[(at, watts - 40) for at, watts in samples]
        )
    write_node_file(tmp_path, "ac", "8", "gpt3", RUN, "0", samples=[(START, 1)])
    write_node_file(tmp_path, "dc", "1", "bert", RUN, "0", samples=[(START, 1), (START + 1, 1.5)])
    return tmp_path


def gathered(folder: Path) -> Path:
    """The run at the wall in one table, as `WRITTEN` has it."""
    rows = ["kind,nodes,benchmark,run,node,t_ms,power_w"]
    rows += [f"ac,64,gpt3,{RUN},{node},{at},{watts}" for node, samples in WRITTEN.items() for at, watts in samples]
    folder.mkdir()
    (folder / "node_power.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    return folder


def rows(power: NodePower) -> dict[str, list[tuple[int, int, float]]]:
    """Sequence, instant and watts by node."""
    found: dict[str, list[tuple[int, int, float]]] = {name: [] for name in power.nodes}
    for node, sequence, at, watts in zip(power.node, power.sequence, power.at, power.power_watts, strict=True):
        found[power.nodes[node]].append((int(sequence), int(at), float(watts)))
    return found


@pytest.mark.parametrize(("kind", "less"), [(Measured.AC, 0), (Measured.DC, 40)])
def test_every_sample_of_a_node_is_kept_in_the_order_of_its_file(folder: Path, kind: Measured, less: int) -> None:
    samples = read_samples(folder)

    assert rows(samples.power(samples.run(NAME), kind)) == {
        f"node-{node:02d}": [(number, at, watts - less) for number, (at, watts) in enumerate(written)]
        for node, written in WRITTEN.items()
    }


def test_it_makes_no_difference_whether_the_samples_were_gathered(folder: Path, tmp_path: Path) -> None:
    ours, theirs = read_samples(folder), read_samples(gathered(tmp_path / "gathered"))
    logs = [
        list(
            trace_records(samples.power(samples.run(NAME), Measured.AC), TraceSite("smc", "h100-sxm", 8, "traces/test"))
        )
        for samples in (ours, theirs)
    ]

    assert logs[0] == logs[1]


def test_runs_are_counted_at_the_wall_or_where_else_they_were_measured(folder: Path) -> None:
    found = {run.name: run.samples for run in read_samples(folder).runs()}

    assert found == {"1/bert/5848-2": 2, "8/gpt3/5848-2": 1, NAME: 6}


def test_one_run_is_read_without_the_others_whatever_state_they_are_in(folder: Path) -> None:
    next(file for file in node_files(folder) if file.nodes == 8).path.write_text("nothing")
    samples = read_samples(folder, NAME)

    assert [run.name for run in samples.runs()] == [NAME]
    with pytest.raises(ConfigurationError, match="lines of MLLOG"):
        read_samples(folder, "64/gpt3/5848-3")


def test_a_run_that_was_not_measured_there_is_told(folder: Path) -> None:
    samples = read_samples(folder)

    with pytest.raises(ConfigurationError, match="--kind is 'ac'; expected one that the folder has of 1/bert/5848-2"):
        samples.power(samples.run("1/bert/5848-2"), Measured.AC)


def test_other_files_beside_those_of_the_nodes_are_left_alone(folder: Path) -> None:
    before = node_files(folder)
    (before[0].path.parent / "total_power.txt").write_text("x")
    (before[0].path.parent / "node_x.txt").write_text("x")

    assert node_files(folder) == before


def test_lines_come_in_all_forms_that_were_published(tmp_path: Path) -> None:
    path = tmp_path / "node_0.txt"
    path.write_text(
        "a word of somebody else\n\n"
        ':::MLLOG {"namespace":"","time_ms":1,"event_type":"INTERVAL_START","key":"power_measurement_start",'
        '"value":"null","metadata":""}\n'
        ':::MLLOG {"key": "conversion_eff", "time_ms": 1, "value": 1.0}\n'
        ':::MLLOG {"key": "power_reading", "time_ms": 2, "value": 6907.5, "metadata": {"lineno": 171}}\r\n'
        '::MLLOG {"namespace":"","time_ms":1,"event_type":"INTERVAL_END","key":"power_measurement_stop","value":null}'
    )

    assert read_node_file(path) == ([2], [6907.5])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(':::MLLOG {"key": "power_read', "a line of MLLOG", id="cut-off"),
        pytest.param(":::MLLOG []", "a line of MLLOG", id="no-fields"),
        pytest.param(':::MLLOG {"key": "power_reading", "time_ms": 2}', "'value'", id="no-watts"),
        pytest.param(':::MLLOG {"key": "power_reading", "value": 2}', "'time_ms'", id="no-time"),
        pytest.param(':::MLLOG {"key": "power_reading", "time_ms": 2.5, "value": 2}', "no time", id="part-of-a-time"),
        pytest.param(':::MLLOG {"key": "power_reading", "time_ms": -1, "value": 2}', "no time", id="before-1970"),
        pytest.param(
            f':::MLLOG {{"key": "power_reading", "time_ms": {10**18}, "value": 2}}', "no time", id="nanoseconds"
        ),
        pytest.param(':::MLLOG {"key": "power_reading", "time_ms": 2, "value": "9"}', "no number", id="text"),
        pytest.param(':::MLLOG {"key": "power_reading", "time_ms": 2, "value": true}', "no number", id="truth"),
    ],
)
def test_a_line_that_is_no_sample_and_claims_to_be_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "node_0.txt"
    path.write_text(f':::MLLOG {{"key": "power_reading", "time_ms": 1, "value": 1}}\n{line}\n')

    with pytest.raises(ConfigurationError, match=rf"node_0\.txt: line 2 .*{said}"):
        read_node_file(path)


def test_a_file_without_samples_is_named(tmp_path: Path) -> None:
    (tmp_path / "node_0.txt").write_text("nothing\n")

    with pytest.raises(ConfigurationError, match=r"node_0\.txt is '1 lines'; expected .*power_reading"):
        read_node_file(tmp_path / "node_0.txt")
