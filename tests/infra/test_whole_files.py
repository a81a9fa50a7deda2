"""Files that stand under their name only once they are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.whole_files import made_whole
from models.errors import ConfigurationError


def test_a_file_gets_its_name_at_the_end_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with made_whole(target) as beside:
        beside.write_text("whole")
        assert not target.exists()
        assert beside.parent.parent == tmp_path

    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert target.read_text() == "whole"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError], ids=["ctrl-c", "full-disk"])
def test_what_is_interrupted_leaves_nothing_behind(tmp_path: Path, interruption: type[BaseException]) -> None:
    with pytest.raises(interruption), made_whole(tmp_path / "target") as beside:  # noqa: PT012
        beside.write_text("half")
        raise interruption

    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("old")

    with pytest.raises(ConfigurationError, match="not there yet"), made_whole(target):
        pass

    assert target.read_text() == "old"


def test_nothing_is_written_over_that_came_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "target"

    with pytest.raises(ConfigurationError, match="not there yet"), made_whole(target) as beside:  # noqa: PT012
        beside.write_text("new")
        target.write_text("of somebody else")

    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert target.read_text() == "of somebody else"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can be made"), made_whole(tmp_path / "none" / "target"):
        pass
