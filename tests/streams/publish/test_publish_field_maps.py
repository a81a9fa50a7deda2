"""Field maps: what a user may write, and what is said of a map that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ConfigurationError
from streams.publish.scraping.field_map import KINDS, SHIPPED, Measures, read_field_map, shipped_map, user_map
from streams.publish.scraping.units import Unit, factor_of, units_of

NODE = "name: own\nnode:\n  power_watts:\n"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_maps_are_right(name: str) -> None:
    assert shipped_map(name).name == name


def test_no_metric_is_in_two_of_the_shipped_maps() -> None:
    names = [metric for name in SHIPPED for metric in shipped_map(name).mapped]

    assert len(names) == len(set(names))


def test_every_measure_has_a_kind() -> None:
    assert set(KINDS) == set(Measures.model_fields)


@pytest.mark.parametrize("unit", Unit)
def test_every_unit_is_of_one_kind(unit: Unit) -> None:
    assert factor_of(unit) > 0
    assert sum(unit in units_of(kind) for kind in set(KINDS.values())) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("name: own", "own.yaml is 'own'; expected at least one metric", id="nothing-mapped"),
        pytest.param("- 1", "own.yaml: the whole is [1]", id="no-map"),
        pytest.param("name: [", "own.yaml: line", id="no-yaml"),
        pytest.param("name: a\nname: b", "own.yaml: line 2 is \"key 'name' is there twice\"", id="a-key-twice"),
        pytest.param(
            NODE + "    - {metrics: [a], unit: mJ}",
            "own.yaml: node.power_watts.0.unit is 'mJ'; expected one of W, mW, kW",
            id="unit-of-another-kind",
        ),
        pytest.param(
            NODE + "    - {metrics: [a], unit: parsec}", "own.yaml: node.power_watts.0.unit is 'parsec'", id="no-unit"
        ),
        pytest.param(
            NODE + "    - {metrics: [a]}",
            "own.yaml: node.power_watts.0.unit is None; expected either a unit (W, mW, kW) or a scale",
            id="neither-unit-nor-scale",
        ),
        pytest.param(
            NODE + "    - {metrics: [a], unit: W, scale: 2}", "node.power_watts.0.unit is <Unit.WATTS", id="both"
        ),
        pytest.param(NODE + "    - {metrics: [a], scale: 0}", "node.power_watts.0.scale is 0", id="scale-of-zero"),
        pytest.param(NODE + "    - {metrics: [], unit: W}", "node.power_watts.0.metrics is []", id="no-metric"),
        pytest.param(NODE + "    - {metrics: [a b], unit: W}", "node.power_watts.0.metrics.0 is 'a b'", id="no-name"),
        pytest.param(NODE + "    - {metrics: [a], unit: W, units: W}", "0.units is 'W'", id="unknown-key"),
        pytest.param(
            NODE + "    - {metrics: [a], unit: W}\n    - {metrics: [a], unit: W}",
            "own.yaml: node.power_watts.1.metrics is 'a'; expected each metric once",
            id="metric-twice",
        ),
        pytest.param(
            NODE + "    - {metrics: [a], unit: W, of_parts: sum}", "0.of_parts is 'sum'; expected nothing", id="parts"
        ),
        pytest.param(
            "name: own\naccelerators: {label: g, measures: {throttled: [{metrics: [a], bits: {4: slow}}]}}",
            "accelerators.measures.throttled.0.bits.4 is 'slow'",
            id="unknown-throttle",
        ),
    ],
)
def test_a_wrong_map_is_named_with_its_place_and_value(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_field_map(text, "own.yaml")

    assert message in str(error.value)


def test_the_same_metric_may_be_used_for_other_labels() -> None:
    text = NODE + "    - {metrics: [a], unit: W, where: {x: ['1']}}\n    - {metrics: [a], unit: W, where: {x: ['2']}}"

    assert read_field_map(text, "own.yaml").mapped == {"a"}


def test_a_map_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"field map is '.*none\.yaml'; expected the path of a readable"):
        user_map(tmp_path / "none.yaml")
    with pytest.raises(ConfigurationError, match=r"map is 'tpu'; expected one of dcgm, amd, gaudi, ipmi"):
        shipped_map("tpu")


def test_a_map_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(NODE + "    - {metrics: [a], unit: kW}")

    assert user_map(file).recognised == {"a"}


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = st.sampled_from(
    ["name", "blanks", "accelerators", "node", "label", "measures", "power_watts", "metrics", "unit", "scale", "parts"]
)


@given(st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)))
def test_whatever_a_map_says_it_is_read_or_refused_by_name(said: object) -> None:
    import yaml

    try:
        named = read_field_map(yaml.safe_dump(said, allow_unicode=True), "own.yaml").mapped
    except ConfigurationError as error:
        named = frozenset({error.setting})

    assert all(isinstance(name, str) for name in named)
    assert named
