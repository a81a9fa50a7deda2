"""The fuzzer's targets in short: the same changes, without its guidance, from a fixed seed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from random import Random

import orjson
import pytest

from tests.fuzz.checking import Memory
from tests.fuzz.mutating import LONGEST_CASE
from tests.fuzz.supervising import FOLDER, ROOT
from tests.fuzz.targets import TARGETS

CASES = 400
"""Of each target, besides those it begins with."""
KEPT = 200
"""Cases that are changed further."""
SEED = 20_270_115


@pytest.mark.parametrize("name", TARGETS)
def test_no_case_makes_a_reader_do_anything_but_read_or_refuse(name: str) -> None:
    target, random = TARGETS[name], Random(SEED)
    pool = target.seeds()
    for case in pool:
        with Memory.bounded():
            target.run(case)
    for _ in range(CASES):
        case = target.change(random.choice(pool), random)[:LONGEST_CASE]
        if len(pool) < KEPT:
            pool.append(case)
        with Memory.bounded():
            target.run(case)


@pytest.mark.parametrize("name", TARGETS)
def test_the_same_seed_makes_the_same_cases(name: str) -> None:
    target = TARGETS[name]
    case = target.seeds()[0]

    assert target.change(case, Random(SEED)) == target.change(case, Random(SEED))


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this platform")
def test_the_fuzzer_counts_its_cases_and_finds_nothing(tmp_path: Path) -> None:
    report = tmp_path / "fuzz.json"
    command = [sys.executable, "-m", "tests.fuzz", "--cases", "50", "--target", "letters", "--json", str(report)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)

    assert done.returncode == 0, done.stdout + done.stderr
    found = orjson.loads(report.read_bytes())
    assert (found["crashes"], found["hangs"]) == (0, 0)
    assert found["cases"] >= 50
    assert 0 < found["peak_rss_mb"] < 1000


def test_a_case_that_was_kept_is_run_again_by_its_name(tmp_path: Path) -> None:
    case = tmp_path / "letters-0"
    case.write_bytes(b"no letter")
    command = [sys.executable, "-m", "tests.fuzz", "--reproduce", str(case)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)

    assert (done.returncode, "read, or refused as documented" in done.stdout) == (0, True), done.stderr
    assert FOLDER.parent == ROOT / ".fleettwin"
