"""The Alibaba 2023 trace: read with every mistake named, and told as the records of a cluster that fills."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import application
from infra.recordlog import LogReader
from infra.settings import Settings, TwinSettings
from models.cloudevents import EventType
from models.demand import DemandRevised
from models.errors import ConfigurationError
from models.partitioning import placed
from models.record import Record
from models.topics import DEMAND, SITES, TELEMETRY
from streams.oracle.offline import fold_log
from streams.traces.alibaba import Node, Pod, models_of, read_nodes, read_pods, usual_gpus
from streams.traces.filling import Filling
from streams.traces.gpu_models import catalogue_text, trace_catalogue, type_of
from streams.traces.inventory import inventory_records
from tests.alibaba_builders import node, pod, write_nodes, write_pods
from tests.traces import shared
from twin.offline import OfflineTwin
from twin.rules import Rules

COLLECTION = "alibaba-gpu-v2023"
PARTITIONS = {TELEMETRY: 1, SITES: 1, DEMAND: 1}

NODES = (node("a", 2, "T4"), node("b", 4, "G2", cpu_milli=8000), node("c", 0), node("d", 8, "V100M32"))
PODS = (
    pod("whole", created=5),
    pod("third", share=333, created=6),
    pod("host", gpus=0, created=6),
    pod("gang", gpus=8, created=7),
    pod("greedy", cpu_milli=90_000, created=7),
    pod("half", share=500, models=("T4",), created=9),
    pod("large", gpus=9, created=9),
    pod("two", gpus=2, models=("G2", "V100M32"), created=9),
)


def filled(nodes: tuple[Node, ...], pods: tuple[Pod, ...]) -> tuple[Filling, list[Record], OfflineTwin]:
    """The trace as a log, and the twin that has folded it."""
    filling = Filling(nodes)
    records = list(inventory_records(filling.steps(pods), "traces/test", Rules().tick))
    twin = OfflineTwin(Rules(), trace_catalogue(models_of(nodes, pods), nodes), 1)
    for record in placed(records, PARTITIONS):
        twin.fold(record)
    return filling, records, twin


def demands_of(records: list[Record]) -> dict[str, DemandRevised]:
    revised = EventType.DEMAND_REVISED.encode()
    found = [record.value or b"" for record in records if record.header("ce_type") == revised]
    return {one.demand: one for one in map(DemandRevised.model_validate_json, found)}


def test_nodes_and_pods_are_read_as_they_were_written(tmp_path: Path) -> None:

    assert read_nodes(write_nodes(tmp_path / "nodes.csv", *NODES)) == NODES
    assert read_pods(write_pods(tmp_path / "pods.csv", *PODS)) == PODS


def test_a_gzipped_file_is_read_by_what_it_is_and_not_by_its_name(tmp_path: Path) -> None:
    path = write_nodes(tmp_path / "nodes.csv", *NODES)
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")))

    assert read_nodes(path) == NODES


def test_columns_stand_in_any_order_beside_any_others(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("zone,model,gpu,memory_mib,cpu_milli,sn\nx,T4,2,1,2,a\n")

    assert read_nodes(tmp_path / "nodes.csv") == (Node("a", 2, 1, 2, "T4"),)


def test_pods_come_in_the_order_of_their_creation_and_of_one_instant_in_the_files(tmp_path: Path) -> None:
    pods = [pod(name, created=created) for name, created in (("c", 2), ("b", 1), ("d", 2), ("a", 1))]

    assert [one.name for one in read_pods(write_pods(tmp_path / "pods.csv", *pods))] == ["b", "a", "c", "d"]


@pytest.mark.parametrize(
    ("right", "wrong", "column", "value"),
    [
        pytest.param("a,96000,", "a,many,", "line 2: cpu_milli", "many", id="no-number"),
        pytest.param("a,96000,", "a,-1,", "line 2: cpu_milli", "-1", id="negative"),
        pytest.param("393216,2,", "1e9,2,", "line 2: memory_mib", "1e9", id="no-whole-number"),
        pytest.param(",2,T4", ",2000,T4", "line 2: gpu", "2000", id="absurd"),
        pytest.param(",2,T4", ",,T4", "line 2: gpu", "", id="empty"),
        pytest.param(",2,T4", ",2,", "line 2: model", "", id="gpus-of-no-model"),
        pytest.param("\nb,", "\na,", "line 3: sn", "a", id="twice"),
        pytest.param(",2,T4", ",2", "line 2: model", "a,96000,393216,2", id="too-few-values"),
        pytest.param(",2,T4", ",2,T4,x", "line 2: model", "a,96000,393216,2,T4,x", id="too-many-values"),
        pytest.param("sn,cpu_milli", "sn,cpu", "line 1", "sn,cpu,memory_mib,gpu,model", id="no-such-column"),
    ],
)
def test_a_wrong_node_is_named_by_file_line_column_and_value(
    tmp_path: Path, right: str, wrong: str, column: str, value: str
) -> None:
    path = write_nodes(tmp_path / "nodes.csv", *NODES)
    path.write_text(path.read_text().replace(right, wrong, 1))

    with pytest.raises(ConfigurationError) as caught:
        read_nodes(path)

    assert (caught.value.setting, caught.value.value) == (f"{path}: {column}", value)


@pytest.mark.parametrize(
    ("right", "wrong", "column", "value"),
    [
        pytest.param("1,1000,,", "1,0,,", "gpu_milli", "0", id="none-of-a-gpu"),
        pytest.param("1,1000,,", "1,1001,,", "gpu_milli", "1001", id="more-than-a-gpu"),
        pytest.param("1,1000,,", "2,500,,", "gpu_milli", "500", id="parts-of-several"),
        pytest.param("1,1000,,", "1,1000,T4|,", "gpu_spec", "T4|", id="a-model-without-a-name"),
        pytest.param("Running,5", "Running,", "creation_time", "", id="never-created"),
        pytest.param("whole,", "third,", "name", "third", id="twice"),
        pytest.param("whole,", "x" * 129 + ",", "name", "x" * 129, id="a-name-too-long"),
    ],
)
def test_a_wrong_pod_is_named_by_file_line_column_and_value(
    tmp_path: Path, right: str, wrong: str, column: str, value: str
) -> None:
    path = write_pods(tmp_path / "pods.csv", *PODS)
    path.write_text(path.read_text().replace(right, wrong, 1))

    with pytest.raises(ConfigurationError) as caught:
        read_pods(path)

    line = 3 if value == "third" else 2
    assert (caught.value.setting, caught.value.value) == (f"{path}: line {line}: {column}", value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="none"),
        pytest.param(b"", id="empty"),
        pytest.param(b"sn,cpu_milli,memory_mib,gpu,model\n", id="nobody"),
        pytest.param(b"sn,cpu_milli,memory_mib,gpu,model\na,1,1,0,\n", id="no-gpus"),
        pytest.param(gzip.compress(b"sn,cpu_milli,memory_mib,gpu,model\na,1,1,1,T4\n")[:-9], id="cut-off"),
        pytest.param(b"sn,cpu_milli,memory_mib,gpu,model\n\xff,1,1,1,T4\n", id="not-text"),
        pytest.param(b'sn,cpu_milli,memory_mib,gpu,model\n"a,1,1,1,T4\n', id="unclosed"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "nodes.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        read_nodes(path)

    assert caught.value.setting.startswith(str(path))


def test_a_model_has_as_many_gpus_on_a_node_as_most_of_its_nodes() -> None:
    nodes = [node("a", 2), node("b", 2), node("c", 8), node("d", 1, "A10")]

    assert [usual_gpus(nodes, model) for model in ("T4", "A10", "G9")] == [2, 1, 1]


def test_models_that_the_shipped_catalogue_does_not_know_get_entries_that_say_what_they_are_worth() -> None:
    models = models_of(NODES, [pod(models=("X9",))])
    catalogue = trace_catalogue(models, NODES)

    assert models == ("G2", "T4", "V100M32", "X9")
    assert {type_of(model) for model in models} <= set(catalogue.ids)
    assert [catalogue[type_].per_node for type_ in ("g2", "v100m32", "x9")] == [4, 8, 1]
    assert "placeholder" in catalogue["g2"].sources[0]
    assert "v100-sxm2" in catalogue["v100m32"].sources[0]
    assert "t4:" not in catalogue_text(models, NODES)
    assert catalogue_text(["T4"], NODES) == ""


def test_a_pod_wants_what_it_is_the_first_to_use_and_all_that_it_needs_where_it_found_no_place() -> None:
    _, records, _ = filled(NODES, PODS)

    found = {name: (one.wanted, one.granted, one.gang, one.types) for name, one in demands_of(records).items()}
    assert found == {
        "whole": (1, 1, 1, ()),
        "third": (1, 1, 1, ()),
        "gang": (8, 8, 8, ()),
        "greedy": (1, 0, 1, ()),
        "half": (0, 0, 1, ("t4",)),
        "large": (9, 0, 9, ()),
        "two": (2, 2, 2, ("g2", "v100m32")),
    }


def assert_that_the_twin_has_what_the_packer_has(filling: Filling, records: list[Record], twin: OfflineTwin) -> None:
    cluster = filling.cluster
    sample = twin.fleet.latest["openb"]
    with_gpus = [place for place, one in enumerate(cluster.nodes) if one.gpus]
    assert sample.nodes.reporting == len(with_gpus)
    assert sum(pool.installed for pool in sample.pools) == int(cluster.gpus.sum())
    assert sum(pool.allocated for pool in sample.pools) == int((cluster.gpus - cluster.whole).sum())
    assert sample.pools == filling.standing.pools()
    assert sum(one.granted for one in demands_of(records).values()) == sum(pool.allocated for pool in sample.pools)


def test_the_log_leaves_the_twin_with_what_the_packer_has() -> None:
    filling, records, twin = filled(NODES, PODS)

    assert_that_the_twin_has_what_the_packer_has(filling, records, twin)
    assert (filling.placed, filling.refused) == (5, 2)


def test_pods_of_one_instant_come_together_and_the_time_between_is_left_out() -> None:
    steps = list(Filling(NODES).steps(PODS))

    assert [[one.demand for one in step.demands] for step in steps] == [
        [],
        ["whole"],
        ["third"],
        ["gang", "greedy"],
        ["half", "large", "two"],
    ]
    assert {later.at - earlier.at for earlier, later in pairwise(steps)} == {1000}


def test_nodes_report_what_is_new_and_all_of_them_before_they_would_be_stale() -> None:
    pods = tuple(pod(str(number), share=1, created=number) for number in range(12))
    reports = [[one.node for one in step.sites[0].nodes] if step.sites else [] for step in Filling(NODES).steps(pods)]

    assert reports == [["a", "b", "d"], ["a"], *[[]] * 8, ["a", "b", "d"], [], []]
    assert Rules().stale_after > 10 * 1000


def test_what_has_no_cpu_left_beside_it_is_out_of_service_in_the_log() -> None:
    nodes = (node("a", 2, cpu_milli=5000), node("b", 2))
    _, _, twin = filled(nodes, (pod(cpu_milli=4000),))

    (pool,) = twin.fleet.latest["openb"].pools
    assert (pool.installed, pool.in_service, pool.allocated, pool.free) == (4, 3, 1, 2)


def test_the_command_writes_a_log_that_is_folded_with_the_catalogue_beside_it(tmp_path: Path) -> None:
    nodes, pods = write_nodes(tmp_path / "nodes.csv", *NODES), write_pods(tmp_path / "pods.csv", *PODS)
    out = tmp_path / "filled.log"
    arguments = ["traces", "convert", "alibaba", "--nodes", str(nodes), "--pods", str(pods), "--out", str(out)]
    done = CliRunner().invoke(application(), arguments)

    assert done.exit_code == 0, done.output
    setting, _, catalogue = done.output.splitlines()[-1].removeprefix("meant for ").partition("=")
    assert setting == "FLEETTWIN_TWIN__CATALOGUE"
    settings = Settings(twin=TwinSettings(catalogue=Path(catalogue)))
    with LogReader(out) as log:
        run = fold_log(log, PARTITIONS, settings)
    assert sum(pool.allocated for pool in run.twin.fleet.latest["openb"].pools) == 12
    again = CliRunner().invoke(application(), [*arguments[:-1], str(tmp_path / "other.log"), "--catalogue", catalogue])
    assert isinstance(again.exception, ConfigurationError)
    assert not (tmp_path / "other.log").exists()


def test_without_the_catalogue_the_readings_are_refused_and_none_is_lost_in_silence() -> None:
    _, records, _ = filled(NODES, PODS)
    run = fold_log(records, PARTITIONS, Settings())

    readings = run.summary()["readings"]
    assert readings["refused"] > 0
    assert {pool.type for pool in run.twin.fleet.latest["openb"].pools} == {"t4"}


def test_the_real_trace_leaves_the_twin_with_what_the_packer_has() -> None:
    folder = shared(COLLECTION)
    nodes = read_nodes(folder / "openb_node_list_all_node.csv")
    pods = read_pods(folder / "openb_pod_list_default.csv.gz")[:300]

    assert_that_the_twin_has_what_the_packer_has(*filled(nodes, pods))
