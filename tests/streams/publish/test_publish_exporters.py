"""What the answers of NVIDIA's, AMD's and Intel's exporters say: units, blanks, parts, and which map they need."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.errors import ConfigurationError
from streams.publish.measures import AcceleratorMeasure, Throttle
from streams.publish.options import Target
from streams.publish.scraping.endpoint import GONE, NEVER_SEEN, Endpoint, Senseless
from streams.publish.scraping.exposition import Garbled
from streams.publish.scraping.fetching import Answer
from streams.publish.scraping.field_map import SHIPPED, FieldMap, read_field_map, shipped_map
from streams.publish.scraping.joining import Heard
from tests.exporter import answer_of
from tests.publish_builders import target

MIB = 2**20


def text_of(name: str) -> str:
    return answer_of(name).body.decode()


def endpoint(of: Target | None = None, *maps: FieldMap, node_label: str | None = None) -> Endpoint:
    chosen = maps or tuple(shipped_map(name) for name in SHIPPED)
    return Endpoint(of or target(None), "http://exporter/metrics", chosen, node_label)


def heard_by(asked: Endpoint, text: str) -> tuple[Heard, list[str]]:
    (heard,), doubts = asked.heard(Answer(text, "text/plain"), at=1)
    return heard, doubts


def test_dcgm_speaks_in_watts_millijoules_ratios_mebibytes_and_bits() -> None:
    heard, doubts = heard_by(endpoint(), text_of("dcgm-h100"))

    assert (heard.type, heard.installed, doubts) == ("h100-sxm", 4, [])
    assert heard.accelerators[1] == AcceleratorMeasure(
        power_watts=552.25,
        energy_joules=1234567891.123,
        utilization=0.974,
        sm_active=0.90,
        memory_used_bytes=79535 * MIB,
        temperature_celsius=45,
        xid=79,
        throttled=frozenset({Throttle.POWER}),
    )
    assert [one.throttled for one in heard.accelerators] == [
        frozenset(),
        {Throttle.POWER},
        {Throttle.HARDWARE, Throttle.THERMAL},
        frozenset(),
    ]
    assert [one.xid for one in heard.accelerators] == [None, 79, None, None]


def test_a_blank_makes_way_for_the_next_metric() -> None:
    heard, _ = heard_by(endpoint(), text_of("dcgm-h100"))

    assert [one.utilization for one in heard.accelerators] == pytest.approx([0.98125, 0.974, 0.95, 0.94])
    assert heard.missing == ()


def test_power_at_this_instant_is_preferred() -> None:
    text = (
        'DCGM_FI_DEV_POWER_USAGE{gpu="0",modelName="H100 80GB HBM3"} 400\n'
        'DCGM_FI_DEV_POWER_USAGE_INSTANT{gpu="0",modelName="H100 80GB HBM3"} 417.5\n'
    )

    assert heard_by(endpoint(), text)[0].accelerators[0].power_watts == 417.5


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "+Inf",
        "-1",
        "9223372036854775794",
        "9223372036854775792",
        "9.223372036854776e+18",
        "2147483632",
        "2147483635",
        "140737488355328.000000",
        "1.40737488355331e+14",
    ],
)
def test_what_says_not_known_is_missing_and_named(value: str) -> None:
    text = f'DCGM_FI_DEV_POWER_USAGE{{gpu="0",modelName="NVIDIA H200"}} {value}\n'

    heard, _ = heard_by(endpoint(), text)

    assert heard.accelerators[0].power_watts is None
    assert "power_watts" in heard.missing


@pytest.mark.parametrize(("value", "known"), [("100", 1.0), ("100.05", 1.0), ("101", None), ("0", 0.0)])
def test_a_fraction_ends_at_one(value: str, known: float | None) -> None:
    text = f'DCGM_FI_DEV_GPU_UTIL{{gpu="0",modelName="NVIDIA H200"}} {value}\n'

    assert heard_by(endpoint(), text)[0].accelerators[0].utilization == known


def test_mig_instances_are_no_accelerators_and_count_once() -> None:
    heard, doubts = heard_by(endpoint(), text_of("dcgm-mig"))

    assert (heard.installed, doubts) == (2, [])
    sliced, whole = heard.accelerators
    assert sliced == AcceleratorMeasure(
        power_watts=203.5, energy_joules=555_000.0, memory_used_bytes=17408 * MIB, temperature_celsius=41
    )
    assert (whole.power_watts, whole.utilization, whole.memory_used_bytes) == (223.5, 0.61, 40960 * MIB)
    assert "utilization" in heard.missing


def test_mig_instances_that_disagree_on_the_whole_are_a_named_failure() -> None:
    text = text_of("dcgm-mig").replace(" 203.500000", " 203.600000", 1)

    heard, doubts = heard_by(endpoint(), text)

    assert heard.accelerators[0].power_watts is None
    assert doubts == ["DCGM_FI_DEV_POWER_USAGE: 3 series that disagree of accelerator 0"]


def test_amd_speaks_in_microjoules_percent_and_mebibytes_and_says_zero_for_unknown() -> None:
    heard, doubts = heard_by(endpoint(), text_of("amd-mi300x"))

    assert (heard.type, heard.installed, doubts) == ("mi300x", 3, [])
    assert heard.accelerators[0] == AcceleratorMeasure(
        power_watts=612,
        energy_joules=14_000_000.5,
        utilization=0.98,
        memory_used_bytes=183265 * MIB,
        temperature_celsius=71,
    )
    assert heard.accelerators[2].temperature_celsius is None
    assert heard.missing == ("temperature_celsius",)


def test_amd_average_power_counts_where_the_current_one_is_zero() -> None:
    text = text_of("amd-mi300x").replace("gpu_package_power", "gone")
    text = text.replace("} 0\n", "} 300\n")

    assert [one.power_watts for one in heard_by(endpoint(), text)[0].accelerators] == [300, 300, 300]


def test_amd_metrics_may_have_a_prefix() -> None:
    plain, _ = heard_by(endpoint(), text_of("amd-mi300x"))

    assert heard_by(endpoint(), text_of("amd-mi300x").replace("gpu_", "amd_gpu_").replace("amd_gpu_id", "gpu_id"))[
        0
    ].accelerators[0].power_watts == (plain.accelerators[0].power_watts)


def test_a_partitioned_amd_gpu_is_one_accelerator_whose_work_is_not_known() -> None:
    heard, doubts = heard_by(endpoint(), text_of("amd-partitioned"))

    assert ([one.power_watts for one in heard.accelerators], doubts) == ([411, 420], [])
    assert {one.memory_used_bytes for one in heard.accelerators} == {None}
    assert {"utilization", "memory_used_bytes"} <= set(heard.missing)


def test_gaudi_speaks_in_milliwatts_millijoules_and_bytes() -> None:
    heard, doubts = heard_by(endpoint(target(None, type="gaudi3")), text_of("gaudi3"))

    assert (heard.type, heard.installed, doubts, heard.missing) == ("gaudi3", 2, [], ())
    assert heard.accelerators[1] == AcceleratorMeasure(
        power_watts=604,
        energy_joules=8_200_000,
        utilization=0.91,
        memory_used_bytes=115_968_311_296,
        temperature_celsius=58,
    )


def test_an_exporter_that_does_not_say_the_model_needs_a_type() -> None:
    with pytest.raises(ConfigurationError, match=r"targets: n1: type is None; .*--type.*does not say the model"):
        heard_by(endpoint(), text_of("gaudi3"))


def test_a_model_that_nobody_knows_needs_a_type() -> None:
    text = text_of("dcgm-h100").replace("NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe")

    with pytest.raises(ConfigurationError, match="'NVIDIA H100 PCIe'"):
        heard_by(endpoint(), text)
    assert heard_by(endpoint(target(None, type="h100-sxm")), text)[0].type == "h100-sxm"


def test_a_management_controllers_watts_are_the_nodes() -> None:
    heard, doubts = heard_by(endpoint(), "ipmi_dcmi_power_consumption_watts 6851\n")

    assert (heard.power_watts, heard.accelerators, heard.missing, doubts) == (6851, (), (), [])


def test_accelerators_stand_in_the_order_of_their_numbers() -> None:
    text = "".join(f'DCGM_FI_DEV_POWER_USAGE{{gpu="{n}",modelName="NVIDIA B200"}} {n}\n' for n in (10, 9, 0, 2, 1))

    assert [one.power_watts for one in heard_by(endpoint(), text)[0].accelerators] == [0, 1, 2, 9, 10]


def test_an_accelerator_that_vanishes_keeps_its_place_until_the_source_starts_anew() -> None:
    asked, whole = endpoint(), text_of("dcgm-h100")
    without = "".join(line for line in whole.splitlines(keepends=True) if 'gpu="1"' not in line)
    heard_by(asked, whole)

    heard, _ = heard_by(asked, without)

    assert (heard.installed, heard.accelerators[1]) == (4, GONE)
    assert heard.accelerators[2].power_watts == 592.25
    assert heard_by(asked, whole)[0].accelerators[1].fault is None
    assert heard_by(endpoint(), without)[0].installed == 3


def test_accelerators_that_the_configuration_counts_and_nobody_sees_are_faulty() -> None:
    heard, _ = heard_by(endpoint(target(None, installed=6)), text_of("dcgm-h100"))

    assert (heard.installed, heard.accelerators[4:]) == (6, (NEVER_SEEN, NEVER_SEEN))


def test_more_accelerators_than_the_configuration_counts_are_a_named_failure() -> None:
    heard, doubts = endpoint(target(None, installed=3)).heard(Answer(text_of("dcgm-h100"), ""), at=1)

    assert (heard, doubts) == ([], ["accelerators 0, 1, 2, 3, where the configuration says 3"])


def test_an_answer_that_has_lost_all_accelerators_says_nothing_of_the_node() -> None:
    asked = endpoint(target(None, type="h100-sxm"), read_field_map(OWN_MAP, "own.yaml"))
    heard_by(asked, 'board_watts{slot="1"} 90\nmains_watts{inlet="a"} 500\n')

    heard, doubts = asked.heard(Answer('mains_watts{inlet="a"} 300\n', ""), at=2)

    assert (heard, doubts) == ([], ["none of the 1 accelerators of n1 is in its answer any more"])


def test_two_series_of_one_accelerator_are_a_named_failure_and_no_pick() -> None:
    text = text_of("dcgm-h100") + 'DCGM_FI_DEV_GPU_TEMP{gpu="2",modelName="NVIDIA H100 80GB HBM3",pod="x"} 47\n'

    heard, doubts = heard_by(endpoint(), text)

    assert doubts == ["DCGM_FI_DEV_GPU_TEMP: 2 series of accelerator 2"]
    assert [one.temperature_celsius for one in heard.accelerators] == [44, 45, None, 47]
    assert "temperature_celsius" in heard.missing


def test_the_same_doubt_of_many_accelerators_is_told_once() -> None:
    twice = text_of("dcgm-h100") * 2

    _, doubts = heard_by(endpoint(), twice)

    assert "DCGM_FI_DEV_POWER_USAGE: 2 series of accelerator 0, 1, 2, 3" in doubts


def test_a_series_without_the_accelerators_number_is_a_named_failure() -> None:
    text = text_of("dcgm-h100") + 'DCGM_FI_DEV_POWER_USAGE{gpu="all"} 2000\n'

    _, doubts = heard_by(endpoint(), text)

    assert doubts == ["DCGM_FI_DEV_POWER_USAGE: label gpu is 'all', expected the accelerator's number"]


OWN_MAP = """
name: own
blanks: [-1, 9999]
accelerators:
  label: slot
  measures:
    power_watts:
      - {metrics: [board_watts], unit: W}
      - {metrics: [board_deciwatts], scale: 0.1}
node:
  power_watts:
    - {metrics: [mains_watts], unit: W, where: {inlet: [a, b]}, several: sum}
"""


def test_a_map_of_ones_own_scales_chooses_by_labels_and_adds_where_it_says_so() -> None:
    text = (
        'board_watts{slot="1"} 9999\nboard_deciwatts{slot="1"} 5000\nboard_watts{slot="0"} 400\n'
        'mains_watts{inlet="a"} 500\nmains_watts{inlet="b"} 510\nmains_watts{inlet="total"} 1010\n'
    )

    asked = endpoint(target(None, type="h100-sxm"), read_field_map(OWN_MAP, "own.yaml"))
    heard, doubts = heard_by(asked, text)

    assert ([one.power_watts for one in heard.accelerators], doubts) == ([400, 500], [])
    assert heard.power_watts == 1010


def test_one_unusable_part_of_a_sum_makes_it_unknown() -> None:
    text = 'mains_watts{inlet="a"} 500\nmains_watts{inlet="b"} NaN\n'

    heard, _ = heard_by(endpoint(target(None), read_field_map(OWN_MAP, "own.yaml")), text)

    assert (heard.power_watts, heard.missing) == (None, ("node_power_watts",))


def test_a_label_names_the_nodes_only_where_it_is_configured() -> None:
    one = text_of("dcgm-h100")
    both = one + one.replace("gpu-node-17", "gpu-node-18")

    heard, doubts = endpoint(node_label="Hostname").heard(Answer(both, ""), at=1)

    assert [(of.identity.site, of.identity.node, of.installed) for of in heard] == [
        ("memphis", "gpu-node-17", 4),
        ("memphis", "gpu-node-18", 4),
    ]
    assert doubts == []
    assert heard_by(endpoint(), one)[0].identity.node == "n1"
    assert heard_by(endpoint(), both)[1] != []


def test_a_node_that_leaves_the_answer_of_many_is_named() -> None:
    asked, one = endpoint(node_label="Hostname"), text_of("dcgm-h100")
    asked.heard(Answer(one + one.replace("gpu-node-17", "gpu-node-18"), ""), at=1)

    _, doubts = heard_by(asked, one)

    assert doubts == ["node gpu-node-18 is not in its answer any more"]


def test_a_series_without_the_nodes_label_is_a_named_failure() -> None:
    with pytest.raises(Senseless, match="no label cluster_node, which is to name the node"):
        endpoint(node_label="cluster_node").heard(Answer(text_of("dcgm-h100"), ""), at=1)


def test_metrics_of_two_exporters_in_one_answer_need_a_word_which() -> None:
    text = text_of("dcgm-h100") + text_of("amd-mi300x")

    with pytest.raises(ConfigurationError, match=r"map is None; expected one of dcgm, amd"):
        heard_by(endpoint(), text)
    assert heard_by(endpoint(None, shipped_map("amd")), text)[0].type == "mi300x"


def test_an_exporter_may_be_replaced_by_another_one() -> None:
    asked = endpoint(target(None, type="h100-sxm"))
    heard_by(asked, text_of("dcgm-h100"))

    assert heard_by(asked, text_of("amd-mi300x"))[0].about.startswith("amd")


def test_an_answer_without_any_metric_of_a_map_is_a_failure() -> None:
    with pytest.raises(Senseless, match="none of the metrics of dcgm, amd, gaudi, ipmi"):
        heard_by(endpoint(), "go_goroutines 8\n")


def test_openmetrics_says_the_same() -> None:
    text = (
        "# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter\n"
        'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION_total{gpu="0",modelName="NVIDIA B200"} 5000\n'
        "# EOF\n"
    )
    (heard,), _ = endpoint().heard(Answer(text, "application/openmetrics-text; version=1.0.0"), at=1)

    assert heard.accelerators[0].energy_joules == 5.0
    with pytest.raises(Garbled):
        endpoint().heard(Answer(text.replace("# EOF\n", ""), "application/openmetrics-text"), at=1)


def test_counters_that_go_back_are_told_as_they_are() -> None:
    asked = endpoint()
    heard_by(asked, text_of("dcgm-h100"))

    again, _ = heard_by(asked, text_of("dcgm-h100").replace(" 1234567890123\n", " 1000\n"))

    assert again.accelerators[0].energy_joules == 1.0


def test_identity_is_the_configurations() -> None:
    heard, _ = heard_by(endpoint(target(None, node="rack-4-u7", rack="r4")), text_of("dcgm-h100"))

    assert heard.identity == replace(target(None).identity, node="rack-4-u7", rack="r4")
    assert heard.about == "dcgm: NVIDIA H100 80GB HBM3, http://exporter/metrics"
