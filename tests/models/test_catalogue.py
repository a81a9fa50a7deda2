"""The shipped catalogue says what was published or measured, and where it guesses it says so."""

from __future__ import annotations

import pytest

from models.catalogue import read_catalogue, shipped_catalogue
from models.demand import Workload
from models.errors import ConfigurationError

CATALOGUE = shipped_catalogue()

ENTRY = """
h100-sxm:
  vendor: NVIDIA
  name: H100
  bf16_tflops: 989
  idle_watts: 72
  typical_watts: 440
  max_watts: 700
  per_node: 8
  host_idle_watts: 1600
  host_max_watts: 4600
  power_model_error: 0.28
  sources: [a data sheet]
"""


def node_watts(type_: str, accelerator_watts: float) -> float:
    """What a whole node draws when each accelerator draws so much."""
    kind = CATALOGUE[type_]
    busy = (accelerator_watts - kind.idle_watts) / (kind.max_watts - kind.idle_watts)
    host = kind.host_idle_watts + busy * (kind.host_max_watts - kind.host_idle_watts)
    return kind.per_node * accelerator_watts + host


def test_all_types_of_the_anchors_are_there() -> None:

    assert set(CATALOGUE.ids) == {
        "a10",
        "a100-sxm",
        "b200-sxm",
        "b300",
        "cs-3",
        "gaudi3",
        "gb200",
        "gb300",
        "groq-lpu",
        "h100-sxm",
        "h200-sxm",
        "mi300x",
        "mi355x",
        "p100-pcie",
        "t4",
        "tpu-v5p",
        "trainium2",
        "trillium",
        "v100-sxm2",
    }


def test_an_h100_node_draws_what_was_measured_of_one() -> None:
    kind = CATALOGUE["h100-sxm"]

    assert 2000 <= node_watts("h100-sxm", kind.idle_watts) <= 2800
    assert node_watts("h100-sxm", kind.typical_watts) == pytest.approx(6850, rel=0.01)
    assert node_watts("h100-sxm", kind.max_watts) == 10_200


def test_a_rack_of_gb200_draws_its_120_kilowatts() -> None:

    assert 18 * node_watts("gb200", CATALOGUE["gb200"].max_watts) == pytest.approx(120_000, rel=0.01)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("h100-sxm", 1000),
        ("h200-sxm", 1000),
        ("b200-sxm", 2275),
        ("gb200", 2528),
        ("mi300x", 1322),
        ("tpu-v5p", 464),
        ("trillium", 928),
        ("trainium2", 674),
        pytest.param("v100-sxm2", 126, id="older-than-bf16"),
        pytest.param("cs-3", 0, id="cs-3-is-not-counted"),
        pytest.param("groq-lpu", 0, id="groq-is-not-counted"),
    ],
)
def test_h100_equivalents_follow_dense_bf16(type_: str, expected: int) -> None:

    assert CATALOGUE[type_].milli_h100e == expected


@pytest.mark.parametrize("type_", CATALOGUE.ids)
def test_work_costs_watts_and_every_figure_has_a_source(type_: str) -> None:
    kind = CATALOGUE[type_]

    assert kind.idle_watts < kind.typical_watts < kind.max_watts
    assert (
        0 < kind.working_milliwatts(Workload.TRAINING) <= 1000 * (kind.max_watts + kind.host_max_watts / kind.per_node)
    )
    assert all(len(source) > 10 for source in kind.sources)


def test_a_dgx_1_draws_its_3500_watts() -> None:

    assert node_watts("v100-sxm2", CATALOGUE["v100-sxm2"].max_watts) == 3500


@pytest.mark.parametrize("type_", CATALOGUE.ids)
def test_training_draws_most_and_work_that_answers_people_least(type_: str) -> None:
    kind = CATALOGUE[type_]
    training, inference = kind.working_milliwatts(Workload.TRAINING), kind.working_milliwatts(Workload.INFERENCE)

    assert training > inference > kind.working_milliwatts(Workload.LATENCY_BOUND) > 0


def test_work_of_no_kind_counts_as_training() -> None:
    kind = CATALOGUE["h100-sxm"]

    assert kind.working_milliwatts(None) == kind.working_milliwatts(Workload.TRAINING)
    # 366 W above idle, and an eighth of the host's 3,000 W at 366 of 628 W
    assert kind.working_milliwatts(None) == round(366_000 + 375_000 * 366 / 628)


def test_inference_draws_its_part_of_what_training_adds() -> None:
    kind = CATALOGUE["h100-sxm"]

    assert kind.working_milliwatts(Workload.INFERENCE) == pytest.approx(
        0.76 * kind.working_milliwatts(Workload.TRAINING), abs=1
    )
    assert any("ASPLOS 2024" in source for source in kind.activity.sources)
    assert any("estimate" in source for source in kind.activity.sources)


def test_a_type_may_have_its_own_activity_and_a_catalogue_none() -> None:
    plain = read_catalogue(ENTRY, "own.yaml")["h100-sxm"]
    shared = read_catalogue("activity: {inference: 0.5}" + ENTRY, "own.yaml")["h100-sxm"]
    own = read_catalogue(f"activity: {{inference: 0.5}}{ENTRY}  activity: {{inference: 0.25}}\n", "own.yaml")[
        "h100-sxm"
    ]

    training = plain.working_milliwatts(Workload.TRAINING)
    assert plain.working_milliwatts(Workload.INFERENCE) == training
    assert shared.working_milliwatts(Workload.INFERENCE) == pytest.approx(training / 2, abs=1)
    assert own.working_milliwatts(Workload.INFERENCE) == pytest.approx(training / 4, abs=1)


@pytest.mark.parametrize("type_", ["tpu-v5p", "trillium", "trainium2", "cs-3", "gaudi3", "t4", "p100-pcie", "a10"])
def test_unpublished_watts_are_called_an_estimate(type_: str) -> None:

    assert any("estimate" in source for source in CATALOGUE[type_].sources)


@pytest.mark.parametrize(
    ("old", "new", "path", "value"),
    [
        pytest.param("max_watts: 700", "max_watts: many", "h100-sxm.max_watts", "many", id="no-number"),
        pytest.param("per_node: 8", "per_node: 0", "h100-sxm.per_node", 0, id="too-small"),
        pytest.param("[a data sheet]", "[]", "h100-sxm.sources", [], id="no-source"),
        pytest.param("vendor: NVIDIA", "seller: NVIDIA", "h100-sxm.vendor", None, id="missing"),
        pytest.param(
            "  vendor: NVIDIA",
            "  activity: {inference: 2}\n  vendor: N",
            "h100-sxm.activity.inference",
            2,
            id="activity",
        ),
        pytest.param("h100-sxm:", "activity: {inference: 0}\nh100-sxm:", "activity.inference", 0, id="no-activity"),
        pytest.param("h100-sxm:", "activity: 1\nh100-sxm:", "activity", 1, id="activity-no-mapping"),
        pytest.param("h100-sxm:", "h200-sxm: 1\nh100-sxm:", "h200-sxm", 1, id="type-no-mapping"),
    ],
)
def test_a_wrong_catalogue_is_refused_with_file_path_and_value(old: str, new: str, path: str, value: object) -> None:

    with pytest.raises(ConfigurationError) as caught:
        read_catalogue(ENTRY.replace(old, new), "own.yaml")

    assert caught.value.setting == f"own.yaml: {path}"
    assert value is None or caught.value.value == value
