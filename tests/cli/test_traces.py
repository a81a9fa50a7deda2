"""`fleettwin traces`: what is known, what is in a folder, any trace as a log, and its files from a server."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from cli.main import application
from cli.traces.converting import add_conversions
from infra.recordlog import LogReader
from models.errors import ConfigurationError
from models.record import Record
from models.topics import TELEMETRY
from streams.traces.known import TRACES, alibaba
from streams.traces.measured import Measured
from streams.traces.trace import Argument, Conversion, Listed, Option, Trace
from tests.alibaba_builders import node, pod, write_nodes, write_pods
from tests.file_server import FileServer, serving
from tests.mlperf_files import write_node_file

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30.0
NODES, PODS = b"nodes" * 1000, b"pods" * 100_000


def told(*arguments: object) -> Result:
    return CliRunner().invoke(application(), ["traces", *map(str, arguments)])


def test_all_known_traces_are_shown_with_source_and_licence() -> None:
    said = told("list").output

    for trace in TRACES:
        assert trace.name in said
        assert trace.source in said
        assert trace.licence in said


def test_an_unknown_trace_is_answered_with_the_known_ones() -> None:
    for command in ("list", "download"):
        assert str(told(command, "borg").exception) == "the trace is 'borg'; expected one of mlperf, helios, alibaba"


def test_a_folder_is_asked_for_with_what_must_be_in_it() -> None:
    assert "openb_node_list_all_node.csv" in str(told("list", "alibaba").exception)


def test_what_is_in_a_folder_is_shown_and_converted_by_its_name(tmp_path: Path) -> None:
    write_node_file(tmp_path, "ac", "1", "bert", "result_7-1_2", "0", samples=[(5000, 2), (7000, 3)])
    out = tmp_path / "run.log"

    shown = told("list", "mlperf", tmp_path).output
    done = told("convert", "mlperf", tmp_path, "--run", shown.split()[0], "--out", out)

    assert shown.split() == ["1/bert/7-2", "1", "nodes", "2", "samples"]
    assert done.output.startswith(f"{out}: 2 readings of 1 nodes in ")
    with LogReader(out) as log:
        assert sum(record.topic == TELEMETRY for record in log) > 2


def test_tenants_of_helios_are_read_from_folders_as_they_were_published(tmp_path: Path) -> None:
    (tmp_path / "vcA").mkdir()
    (tmp_path / "vcA" / "cluster_sequence_vc.csv").write_text(
        "time,total_gpu_num,running_gpu_num,pending_gpu_num\n2020-05-01 00:00:00,16,8,0\n"
    )

    assert told("list", "helios", tmp_path).output.split() == ["vcA", "1", "minutes", "16", "GPUs"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_alibaba_is_as_good_as_its_two_files(tmp_path: Path, *, packed: bool) -> None:
    nodes = write_nodes(tmp_path / alibaba.NODES, node("a", 2))
    pods = write_pods(tmp_path / alibaba.PODS, pod("p"), pod("host", gpus=0))
    if packed:
        pods.with_name(f"{pods.name}.gz").write_bytes(gzip.compress(pods.read_bytes()))
        pods.unlink()
    logs = [tmp_path / "folder.log", tmp_path / "files.log"]
    told("convert", "alibaba", tmp_path, "--out", logs[0])
    pods = pods.with_name(f"{pods.name}.gz") if packed else pods
    told("convert", "alibaba", "--nodes", nodes, "--pods", pods, "--out", logs[1])

    assert " ".join(told("list", "alibaba", tmp_path).output.split()) == "openb 1 nodes 2 GPUs 1 pods with GPUs"
    assert logs[0].read_bytes() == logs[1].read_bytes()
    assert "--nodes is None" in str(told("convert", "alibaba", "--out", tmp_path / "x.log").exception)
    assert "a folder with openb_node" in str(told("convert", "alibaba", tmp_path / "x", "--out", "x.log").exception)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Whatever can be asked for."""

    folder: Annotated[Path, Argument("A folder.")]
    names: Annotated[list[str] | None, Option("--name", "Some names.")] = None
    kind: Annotated[Measured, Option("--kind", "A kind.")] = Measured.AC
    share: Annotated[float, Option("--share", "A share.", least=0, most=1)] = 0.5
    begin: Annotated[datetime | None, Option("--from", "A time.")] = None


@dataclass
class Fourth:
    """Another trace, which remembers what was chosen."""

    chosen: list[Choice]

    def runs(self, folder: Path) -> Sequence[Listed]:
        return []

    def convert(self, choice: Choice) -> Conversion:
        """What a fourth trace says of itself."""
        self.chosen.append(choice)
        return Conversion({}, [Record(TELEMETRY, -1, -1, 0, b"", b"", ())], lambda: "one record")


@pytest.fixture
def fourth() -> tuple[Fourth, typer.Typer]:
    """The trace, and an app that has it as its only one; an app of one command would have no name for it."""
    fourth, convert = Fourth([]), typer.Typer()
    convert.callback()(lambda: None)
    trace = Trace("fourth", "", "", "", "", Choice, fourth.runs, fourth.convert)
    add_conversions(convert, [trace])
    return fourth, convert


def test_another_trace_is_asked_for_what_its_choices_declare(
    tmp_path: Path, fourth: tuple[Fourth, typer.Typer]
) -> None:
    given = ("--name", "a", "--name", "b", "--kind", "dc", "--share", "0.25", "--from", "2020-05-01")
    trace, convert = fourth
    CliRunner().invoke(convert, ["fourth", str(tmp_path), *given, "--out", str(tmp_path / "a.log")])
    CliRunner().invoke(convert, ["fourth", str(tmp_path), "--out", str(tmp_path / "b.log")])

    begin = datetime(2020, 5, 1, tzinfo=UTC).replace(tzinfo=None)
    assert trace.chosen == [
        Choice(folder=tmp_path, names=["a", "b"], kind=Measured.DC, share=0.25, begin=begin),
        Choice(folder=tmp_path),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "b.log"]


def test_another_trace_explains_itself_and_keeps_to_its_limits(
    tmp_path: Path, fourth: tuple[Fourth, typer.Typer]
) -> None:
    trace, convert = fourth

    assert "What a fourth trace says of itself." in CliRunner().invoke(convert, ["fourth", "--help"]).output
    assert CliRunner().invoke(convert, ["fourth", ".", "--share", "2", "--out", "x.log"]).exit_code == 2
    assert trace.chosen == []


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(FileServer({"nodes.csv": NODES, "pods.csv": PODS})) as server:
        yield server


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Of the two files of the server, at an address where nobody is."""
    files = [
        {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in (("nodes.csv", NODES), ("pods.csv", PODS))
    ]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"base": "http://127.0.0.1:1/", "files": files}))
    return path


def test_a_download_says_whose_the_files_are_and_what_was_done(
    tmp_path: Path, server: FileServer, manifest: Path
) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "nodes.csv").write_bytes(NODES)

    done = told("download", "helios", "--manifest", manifest, "--base-url", server.url, "--out", folder)

    assert "licence: MIT" in done.output
    assert done.output.splitlines()[-1] == f"{folder}: 2 files, 405000 bytes; 1 fetched, 1 were there"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"nodes.csv": NODES, "pods.csv": PODS}


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    failed = told("download", "helios", "--manifest", tmp_path / "none.yaml").exception

    assert isinstance(failed, ConfigurationError)
    assert failed.setting == "--manifest"


def started(folder: Path, manifest: Path, server: FileServer) -> subprocess.Popen[str]:
    """The command as a process, in a folder of its own."""
    arguments = ("traces", "download", "alibaba", "--manifest", str(manifest), "--base-url", server.url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLEETTWIN_")}
    return subprocess.Popen(
        # where the tests run in the background, Ctrl-C is ignored by all that they start, unless it is told not to
        ["env", "--default-signal=INT", sys.executable, "-m", "cli", *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_ctrl_c_interrupted_goes_on_and_never_had_its_name(
    tmp_path: Path, server: FileServer, manifest: Path
) -> None:
    folder, sent = tmp_path / ".fleettwin" / "traces" / "alibaba", 200_000
    server.breaks_after, server.hangs = sent, True
    with started(tmp_path, manifest, server) as interrupted:
        part, until = folder / "pods.csv.part", time.monotonic() + PATIENCE_SECONDS
        while not (part.exists() and part.stat().st_size):
            assert time.monotonic() < until
            assert interrupted.poll() is None
            time.sleep(0.02)
        interrupted.send_signal(signal.SIGINT)
        _, errors = interrupted.communicate(timeout=PATIENCE_SECONDS)
    kept = part.stat().st_size

    assert interrupted.returncode == 130
    assert "Traceback" not in errors
    assert sorted(path.name for path in folder.iterdir()) == ["nodes.csv", "pods.csv.part"]

    server.breaks_after = None
    with started(tmp_path, manifest, server) as again:
        said, _ = again.communicate(timeout=PATIENCE_SECONDS)
    assert said.splitlines()[-1].endswith("; 1 fetched, 1 were there")
    assert server.asked[-1] == ("pods.csv", f"bytes={kept}-{len(PODS) - 1}")
    assert (folder / "pods.csv").read_bytes() == PODS


def test_a_wrong_file_ends_the_command_with_one_line_and_is_not_there(
    tmp_path: Path, server: FileServer, manifest: Path
) -> None:
    server.files["pods.csv"] = PODS[::-1]
    with started(tmp_path, manifest, server) as failed:
        _, errors = failed.communicate(timeout=PATIENCE_SECONDS)

    assert failed.returncode == 1
    assert errors.startswith(f"fleettwin: {server.url}pods.csv: what came has the SHA-256 ")
    assert len(errors.splitlines()) == 1
    assert [path.name for path in (tmp_path / ".fleettwin" / "traces" / "alibaba").iterdir()] == ["nodes.csv"]
