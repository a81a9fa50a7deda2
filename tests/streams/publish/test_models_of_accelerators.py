"""Names of products against ids of the catalogue."""

import pytest

from models.catalogue import shipped_catalogue
from models.errors import ConfigurationError
from streams.publish.models import _patterns, type_of, type_of_all


@pytest.mark.parametrize(
    ("model", "type_"),
    [
        pytest.param("NVIDIA H100 80GB HBM3", "h100-sxm", id="h100-of-nvml-and-dcgm"),
        pytest.param("NVIDIA H200", "h200-sxm", id="h200"),
        pytest.param("NVIDIA A100-SXM4-80GB", "a100-sxm", id="a100-80"),
        pytest.param("A100-SXM4-40GB", "a100-sxm", id="a100-of-an-old-driver"),
        pytest.param("Tesla V100-SXM2-32GB", "v100-sxm2", id="v100"),
        pytest.param("Tesla P100-PCIE-16GB", "p100-pcie", id="p100"),
        pytest.param("Tesla T4", "t4", id="t4-tesla"),
        pytest.param("NVIDIA T4", "t4", id="t4-nvidia"),
        pytest.param("NVIDIA A10", "a10", id="a10"),
        pytest.param("NVIDIA B200", "b200-sxm", id="b200"),
        pytest.param("NVIDIA B300 SXM6 AC", "b300", id="b300"),
        pytest.param("NVIDIA GB200", "gb200", id="gb200"),
        pytest.param("NVIDIA GB300", "gb300", id="gb300"),
        pytest.param("AMD Instinct MI300X", "mi300x", id="mi300x-of-amdsmi"),
        pytest.param("AMD Instinct MI300X OAM", "mi300x", id="mi300x-of-its-exporter"),
        pytest.param("AMD_Instinct_MI300X_OAM", "mi300x", id="mi300x-with-underscores"),
        pytest.param("Instinct MI355X", "mi355x", id="mi355x"),
        pytest.param("  amd  instinct  mi355x ", "mi355x", id="blanks-and-small-letters"),
        pytest.param("HL-325L", "gaudi3", id="gaudi3-of-its-exporter"),
        pytest.param("Intel Gaudi 3", "gaudi3", id="gaudi3-by-name"),
    ],
)
def test_known_names_have_their_type(model: str, type_: str) -> None:
    assert type_of(model) == type_


@pytest.mark.parametrize(
    "model",
    [
        "NVIDIA H100 PCIe",
        "NVIDIA H100 NVL",
        "NVIDIA H200 NVL",
        "NVIDIA A100-PCIE-40GB",
        "NVIDIA A100 80GB PCIe",
        "Tesla V100-PCIE-16GB",
        "Tesla V100-SXM3-32GB",
        "Tesla P100-SXM2-16GB",
        "NVIDIA A10G",
        "NVIDIA A100-SXM4-80GB MIG 1g.10gb",
        "NVIDIA GH200 480GB",
        "GRID T4-8Q",
        "AMD Instinct MI300A",
        "AMD Instinct MI325X",
        "HL-225B",
        "HL-338",
        "NVIDIA",
        "",
    ],
)
def test_a_card_of_another_form_is_not_taken_for_a_known_one(model: str) -> None:
    assert type_of(model) is None


def test_each_type_is_in_the_catalogue() -> None:
    assert {type_ for _, type_ in _patterns()} <= set(shipped_catalogue().ids)


def test_an_unknown_model_is_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigurationError) as refused:
        type_of_all(["NVIDIA H100 PCIe"], "--type")

    assert str(refused.value) == (
        "--type is 'NVIDIA H100 PCIe'; expected the catalogue's id of this model, or an entry of your own in"
        " FLEETTWIN_TWIN__CATALOGUE"
    )


def test_accelerators_of_several_types_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="expected a type, as the accelerators of this node are not of one"):
        type_of_all(["NVIDIA H200", "NVIDIA H100 80GB HBM3"], "--type")


def test_two_names_of_one_type_are_no_mixture() -> None:
    assert type_of_all(["NVIDIA A100-SXM4-80GB", "NVIDIA A100-SXM4-40GB"], "--type") == "a100-sxm"
