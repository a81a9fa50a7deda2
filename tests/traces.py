"""Where public traces lie that are too large, or licensed too narrowly, to be here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDERS = (os.environ.get("FLEETTWIN_TRACES"), Path(__file__).parents[1].parent / "shared" / "data")


def shared(name: str) -> Path:
    """A folder with real data, or the test is skipped."""
    for folder in FOLDERS:
        if folder is not None and (path := Path(folder) / name).is_dir():
            return path
    pytest.skip(f"no {name} in FLEETTWIN_TRACES or ../shared/data")
