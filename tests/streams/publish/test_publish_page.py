"""What docs/publishing.md names is there, and what is there it names. Its commands are typed by tests/docs."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from infra.settings import PublishSettings
from streams.publish.configuration import TargetEntry, Wanted
from streams.publish.metrics import PublishMetrics
from streams.publish.node_file import FileAccelerator, FileNode
from streams.publish.registry import EXTRAS, SOURCES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")


def table_below(head: str) -> list[list[str]]:
    """The cells of the table with this head, line by line."""
    lines = PAGE.partition(head)[2].partition("\n\n")[0].strip().splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def named(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", text))


def test_every_source_is_named_with_what_it_needs() -> None:
    needs = {min(named(cells[0])): cells[2] for cells in table_below("| source | what it asks | needs |\n")}

    assert needs.keys() == set(SOURCES)
    assert all(f"fleettwin[{extra}]" in needs[source] for source, extra in EXTRAS.items())


def test_every_key_is_named_and_is_a_variable_too() -> None:
    keys = {key for cells in table_below("| key | default | |\n") for key in named(cells[0])}

    assert keys == Wanted.model_fields.keys()
    assert PublishSettings.model_fields.keys() - {"config", "target"} == keys - {"targets", "options"}


def test_every_field_of_a_target_and_of_a_file_is_named() -> None:
    (targets,) = [cells[2] for cells in table_below("| key | default | |\n") if cells[0] == "`targets`"]
    fields = table_below("| field | |\n")
    (accelerators,) = [cells[1] for cells in fields if cells[0] == "`accelerators`"]

    assert TargetEntry.model_fields.keys() <= named(targets)
    assert {name for cells in fields for name in named(cells[0])} == FileNode.model_fields.keys()
    assert FileAccelerator.model_fields.keys() <= named(accelerators)


def test_the_configuration_that_is_shown_is_one() -> None:
    shown = yaml.safe_load(PAGE.partition("```yaml\n")[2].partition("```")[0])

    assert len(Wanted.model_validate(shown).targets) == 2


def test_every_metric_is_named() -> None:
    cells = " ".join(cells[0] for cells in table_below("| metric | |\n"))
    told = {name.replace("...", "fleettwin_publish") for name in re.findall(r"`([a-z_.]+)", cells)}
    ours = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in PublishMetrics("fake").registry.collect()
        if metric.name.startswith("fleettwin_")
    }

    assert told == {f"{name}_info" if name == "fleettwin_publish_build" else name for name in ours}


def test_the_files_it_points_to_are_there() -> None:
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", PAGE)]

    assert [target for target in targets if target and not (ROOT / "docs" / target).exists()] == []
