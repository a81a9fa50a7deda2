"""Manifests: what is wrong with one is named, and those shipped fit the files that they speak of."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections import defaultdict
from pathlib import Path

import pytest

from models.errors import ConfigurationError
from streams.traces.known import TRACES
from streams.traces.manifest import Manifest, at_another_address, read_manifest, shipped_manifest
from streams.traces.mlperf_files import node_files
from tests.mlperf_files import write_node_file
from tests.traces import shared

SUM = "0" * 64
GOOD = f"base: https://example.org/trace\nfiles:\n  - {{path: a/b.csv, size: 1, sha256: '{SUM}'}}\n"


def manifest_of(trace: str) -> Manifest:
    found = shipped_manifest(trace)
    assert found is not None
    return found


def test_a_file_is_below_the_address_where_it_is_said_to_be() -> None:
    manifest = read_manifest(GOOD.replace("path: a/b.csv", "path: b.csv, from: 'a b/ü.csv'"), "own.yaml")

    assert [file.url(manifest.base) for file in manifest.files] == ["https://example.org/trace/a%20b/%C3%BC.csv"]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        pytest.param("a/b.csv", "../b.csv", "plain path", id="above"),
        pytest.param("a/b.csv", "/b.csv", "plain path", id="absolute"),
        pytest.param("a/b.csv", "a/../../b.csv", "plain path", id="above-in-the-middle"),
        pytest.param("a/b.csv", r"a\b.csv", "plain path", id="backslash"),
        pytest.param("https:", "file:", "http or https", id="scheme"),
        pytest.param("/trace", "/trace?a", "http or https", id="query"),
        pytest.param("size: 1", "size: 0", "greater than or equal to 1", id="empty-file"),
        pytest.param(SUM, SUM[1:], "sha256", id="checksum"),
        pytest.param("size: 1,", "size: 1, md5: x,", "md5", id="unknown"),
        pytest.param("size: 1,", "", "size", id="no-size"),
        pytest.param("files:\n", f"files:\n  - {{path: a/b.csv, size: 2, sha256: '{SUM}'}}\n", "twice", id="twice"),
        pytest.param("base:", "base: x\nbase:", "twice", id="a-key-twice"),
        pytest.param(GOOD, "", "valid dictionary", id="nothing"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_named(right: str, wrong: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"(?s)^own\.yaml.*{said}"):
        read_manifest(GOOD.replace(right, wrong, 1), "own.yaml")


def test_the_same_files_may_be_elsewhere() -> None:
    manifest = read_manifest(GOOD, "own.yaml")

    assert at_another_address(manifest, "http://127.0.0.1:1/x") == manifest.model_copy(
        update={"base": "http://127.0.0.1:1/x/"}
    )
    with pytest.raises(ConfigurationError, match="--base-url"):
        at_another_address(manifest, "mirror")


@pytest.mark.parametrize("trace", [trace.name for trace in TRACES])
def test_shipped_files_are_at_a_commit_and_not_on_a_branch(trace: str) -> None:
    assert [len(part) for part in manifest_of(trace).base.split("/")[-2:]] == [40, 0]
    assert manifest_of(trace).base.startswith("https://raw.githubusercontent.com/")


def checksums(manifest: Manifest) -> dict[str, tuple[int, str]]:
    return {file.path: (file.size, file.sha256) for file in manifest.files}


def known(content: bytes) -> tuple[int, str]:
    return len(content), hashlib.sha256(content).hexdigest()


def test_the_manifest_fits_the_real_nodes_and_pods_of_alibaba() -> None:
    folder = shared("alibaba-gpu-v2023")
    nodes, pods = "openb_node_list_all_node.csv", "openb_pod_list_default.csv"

    assert checksums(manifest_of("alibaba")) == {
        nodes: known((folder / nodes).read_bytes()),
        pods: known(gzip.decompress((folder / f"{pods}.gz").read_bytes())),
    }


def test_the_manifest_fits_the_first_fifteen_days_of_the_real_tenants_of_helios() -> None:
    folder = shared("helios-earth-vc")

    assert checksums(manifest_of("helios")) == {
        path.name.removesuffix(".gz"): known(gzip.decompress(path.read_bytes())) for path in folder.glob("vc*.csv.gz")
    }
    assert all(file.first for file in manifest_of("helios").files)


def test_the_manifest_fits_the_real_runs_of_mlperf_written_again_as_they_were(tmp_path: Path) -> None:
    folder = shared("mlperf-smc-h100-power")
    rows: dict[tuple[str, str, str, str, str], list[tuple[int, str]]] = defaultdict(list)
    with gzip.open(folder / "node_power.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            place = (row["kind"], row["nodes"], row["benchmark"], row["run"], row["node"])
            rows[place].append((int(row["t_ms"]), row["power_w"]))
    with (folder / "runs.csv").open(newline="") as text:
        sha1_of = {
            (row["kind"], row["nodes"], row["benchmark"], row["run"], row["node"]): row["sha1"]
            for row in csv.DictReader(text)
        }
    expected = checksums(manifest_of("mlperf"))
    pinned_runs = {Path(path).parent.name for path in expected}
    for place, samples in rows.items():
        if place[3] in pinned_runs:
            write_node_file(tmp_path, *place, samples=samples)

    files = node_files(tmp_path)
    assert {str(one.path.relative_to(tmp_path)): known(one.path.read_bytes()) for one in files} == expected
    for one in files:
        expected_sha1 = sha1_of[one.kind.value, str(one.nodes), one.benchmark, one.run, str(one.node)]
        assert hashlib.sha1(one.path.read_bytes(), usedforsecurity=False).hexdigest().startswith(expected_sha1)
