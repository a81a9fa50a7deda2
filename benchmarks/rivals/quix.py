"""Quix Streams on the same topic, doing the same as idiomatic Faust here, in an environment of its own.

The environment lies below the stack's folder and is made with uv from `quix.requirements.txt`, in seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.rivals.readings import SINGLES
from benchmarks.rivals.rival import Rival
from benchmarks.rivals.topics import told_sums
from benchmarks.stage import Stage
from models.errors import Unavailable

NAME = "quix"
REQUIREMENTS = Path(__file__).with_name("quix.requirements.txt")
PROGRAM = Path(__file__).parent / "programs" / "quix.py"
_INDEX = "UV_DEFAULT_INDEX"


def line(stage: Stage) -> Sequence[str | Path]:
    """By its own interpreter."""
    return [environment(stage.settings.stack.home), PROGRAM]


def environment(home: Path) -> Path:
    """The interpreter of its environment, which is made if it is not there, or not of these requirements.

    Raises:
        Unavailable: uv cannot make it.
    """
    folder = home.absolute() / "benchmark" / "quix"
    python, made_from = folder / "bin" / "python", folder / "made-from.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if made_from.exists() and made_from.read_text(encoding="utf-8") == wanted:
        return python
    uv = [sys.executable, "-m", "uv"]
    for step in (
        [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [*uv, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(REQUIREMENTS)],
    ):
        ran = subprocess.run(step, env={**os.environ, **_index()}, check=False, capture_output=True, text=True)
        if ran.returncode:
            raise Unavailable("Quix Streams", ran.stderr.strip().partition("\n")[0], "See whether uv reaches its index")
    made_from.write_text(wanted, encoding="utf-8")
    return python


def _index() -> Mapping[str, str]:
    """Where pip finds packages, for uv, which does not read pip's configuration."""
    if _INDEX in os.environ:
        return {}
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    told = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()
    return {_INDEX: told} if told else {}


RIVAL = Rival(NAME, SINGLES, line, partial(told_sums, rival=NAME))
