"""The planner's verdict on arriving pods against the packer's: counted as they are, and never taken from the packer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.alibaba import Trial, measured, told
from streams.traces.alibaba import Node, Pod, models_of
from streams.traces.gpu_models import trace_catalogue
from streams.traces.packing import Cluster
from tests.alibaba_builders import node, pod, write_nodes, write_pods
from tests.traces import shared

COLLECTION = "alibaba-gpu-v2023"
ROOT = Path(__file__).parents[2]
NODES = (node("a", 2, "T4"), node("b", 4, "G2"))


def tried(pods: list[Pod], nodes: tuple[Node, ...] = NODES, **said: Any) -> Trial:
    """A trial that is over."""
    trial = Trial(nodes, trace_catalogue(models_of(nodes, pods), nodes), **said)
    trial.run(pods)
    return trial


def verdicts(trial: Trial) -> tuple[int, int, int, int]:
    """Fits and was placed, neither, fits but was not placed, placed but does not fit."""
    counts = trial.whole.verdicts + trial.shares.verdicts
    return counts[True, True], counts[False, False], counts[True, False], counts[False, True]


def test_gangs_and_types_decide_what_fits() -> None:
    pods = [pod(gpus=4), pod(gpus=1, models=("G2",)), pod(gpus=2), pod(), pod(models=("A10",))]
    trial = tried(pods)

    assert verdicts(trial) == (2, 3, 0, 0)
    assert {gang: tally.told()["agreement"] for gang, tally in trial.gangs.items()} == {1: 1.0, 2: 1.0, 4: 1.0}


def test_a_share_fits_beside_others_or_on_a_gpu_of_its_own() -> None:
    trial = tried([pod(gpus=4), pod(), pod(share=600), pod(share=500), pod(share=400), pod(share=1)])

    assert verdicts(trial) == (4, 2, 0, 0)
    assert trial.asked.told()["pods"] == 5


def test_stranded_gpus_are_seen_only_where_they_are_told() -> None:
    poor = (node("a", 2, "T4", cpu_milli=4000),)
    pods = [pod(cpu_milli=4000), pod(cpu_milli=4000)]

    assert verdicts(tried(pods, poor)) == (1, 1, 0, 0)
    assert verdicts(tried(pods, poor, strands=False)) == (1, 0, 1, 0)
    assert verdicts(tried(pods, poor, hosts=False)) == (2, 0, 0, 0)


def test_a_verdict_that_differs_from_the_packers_is_counted_by_its_kind() -> None:
    poor = (node("a", 2, "T4", cpu_milli=5000),)

    assert verdicts(tried([pod(cpu_milli=4000), pod(cpu_milli=1000)], poor)) == (1, 0, 0, 1)


def test_the_planner_is_not_told_what_the_packer_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster, "place", lambda *_: None)
    trial = tried([pod(), pod(gpus=4), pod(gpus=8)])

    assert verdicts(trial) == (0, 1, 2, 0)
    assert (trial.unplaced["planner"], trial.unplaced["packer"]) == (8000, 13_000)


def test_what_is_printed_says_what_was_found(tmp_path: Path) -> None:
    pods = [pod("a", gpus=4), pod("host", gpus=0), pod("b", share=500), pod("c", gpus=2), pod("d")]
    arguments = [
        *("--nodes", str(write_nodes(tmp_path / "nodes.csv", *NODES))),
        *("--pods", str(write_pods(tmp_path / "pods.csv", *pods))),
    ]
    command = [sys.executable, "-m", "benchmarks.alibaba", *arguments]
    done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)

    assert (found["pods"], found["agreement"]) == (4, 1.0)
    assert found["unplaced_gpus"] == {"planner": 2.0, "packer": 2.0}
    assert (found["free_gpus"], found["requested_gpus"]) == (0.5, 7.5)
    assert [row["pods"] for row in found["filling"]] == [1, 2, 3, 4]
    assert found["filling"][0]["placeable"] == {"g2": {"1": 0, "2": 0, "4": 0}, "t4": {"1": 2, "2": 2, "4": 0}}
    assert "0.50 of 6 left over, 7.50 requested" in told(found | {"by_gang": {}})


def test_a_wrong_file_ends_with_2_and_says_where(tmp_path: Path) -> None:
    nodes = write_nodes(tmp_path / "nodes.csv", *NODES)
    command = [sys.executable, "-m", "benchmarks.alibaba", "--nodes", str(nodes), "--pods", str(nodes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, "a column name, once" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_the_real_trace_is_judged_as_it_is_packed() -> None:
    folder = shared(COLLECTION)
    found = measured(folder / "openb_node_list_all_node.csv", folder / "openb_pod_list_default.csv.gz", 200, 600)

    assert found["pods"] > 400
    assert found["agreement"] == 1.0
    assert found["free_gpus"] == pytest.approx(found["gpus"] - found["requested_gpus"])
