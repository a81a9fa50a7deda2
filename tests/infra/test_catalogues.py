"""A catalogue of the user's own: beside the shipped one, and wrong entries are named by file, path and value."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.catalogues import chosen_catalogue
from infra.settings import TwinSettings
from models.catalogue import shipped_catalogue
from models.errors import ConfigurationError

SHIPPED = shipped_catalogue()

OWN = """
x9:
  vendor: ACME
  name: X9
  bf16_tflops: 500
  idle_watts: 50
  typical_watts: 200
  max_watts: 400
  per_node: 4
  host_idle_watts: 300
  host_max_watts: 700
  power_model_error: 0.3
  sources: [a data sheet of ours]
"""


def own(folder: Path, text: str) -> TwinSettings:
    path = folder / "own.yaml"
    path.write_text(text)
    return TwinSettings(catalogue=path)


def test_without_a_word_the_catalogue_is_the_shipped_one() -> None:

    assert chosen_catalogue(TwinSettings()).digests == SHIPPED.digests


def test_entries_are_added_to_the_shipped_ones_and_work_as_these_do(tmp_path: Path) -> None:
    catalogue = chosen_catalogue(own(tmp_path, OWN))

    assert set(catalogue.ids) == {*SHIPPED.ids, "x9"}
    assert catalogue["x9"].activity == SHIPPED["t4"].activity
    assert {id_: catalogue.digests[id_] for id_ in SHIPPED.ids} == SHIPPED.digests


def test_an_entry_of_a_shipped_id_replaces_that(tmp_path: Path) -> None:
    catalogue = chosen_catalogue(own(tmp_path, OWN.replace("x9:", "t4:")))

    assert catalogue.ids == SHIPPED.ids
    assert catalogue["t4"].name == "X9"
    assert catalogue.digests["t4"] != SHIPPED.digests["t4"]


@pytest.mark.parametrize(
    ("right", "wrong", "path", "value"),
    [
        pytest.param("max_watts: 400", "max_watts: 100", "own.yaml: x9", None, id="figures-that-contradict"),
        pytest.param("per_node: 4", "per_node: none", "own.yaml: x9.per_node", "none", id="no-number"),
        pytest.param("per_node: 4", "per_node: 4\n  colour: red", "own.yaml: x9.colour", "red", id="unknown"),
        pytest.param("  sources: [a data sheet of ours]\n", "", "own.yaml: x9.sources", None, id="missing"),
        pytest.param("x9:\n", "x9: X9\ny:\n", "own.yaml: x9", "X9", id="no-mapping"),
        pytest.param("per_node: 4", "per_node: 4\n  per_node: 5", "own.yaml: line 10", None, id="twice"),
        pytest.param(OWN, "", "own.yaml", None, id="empty"),
    ],
)
def test_a_wrong_entry_is_named_by_file_path_and_value(
    tmp_path: Path, right: str, wrong: str, path: str, value: str | None
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        chosen_catalogue(own(tmp_path, OWN.replace(right, wrong)))

    assert caught.value.setting == f"{tmp_path}/{path}"
    assert value is None or caught.value.value == value
    assert "activity" not in str(caught.value)


@pytest.mark.parametrize("content", [pytest.param(None, id="not-there"), pytest.param(b"\xff\xfe", id="not-text")])
def test_a_file_that_cannot_be_read_is_named_with_its_setting(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "own.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match="FLEETTWIN_TWIN__CATALOGUE") as caught:
        chosen_catalogue(TwinSettings(catalogue=path))

    assert caught.value.value == str(path)
