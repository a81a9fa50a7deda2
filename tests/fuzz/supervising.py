"""Starts the fuzzers, one process a target, counts what they did, and keeps every case that broke something."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from infra.embedded import process
from tests.fuzz.checking import MOST_MEGABYTES
from tests.fuzz.mutating import LONGEST_CASE
from tests.fuzz.progress import PROGRESS
from tests.fuzz.targets import Target

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".fleettwin" / "fuzz"
"""Where cases that broke something are kept."""

CASE_SECONDS = 10
"""A case that takes longer hangs."""
MOST_RUNS = 20_000
"""Of one process, which grows by what the fuzzer makes: to 1.1 GB over 42,000 frames, while 9,000 of the same changes
without the fuzzer leave a process at 136 MB. What was worth keeping goes on to the next one."""
MOST_FINDINGS = 20
"""Of one target; then it is left, for the same fault would be found over and over."""

_HANG, _MEMORY = 70, 71
_WHERE = re.compile(r"^[A-Za-z_.]*(?:Error|Exception|Refused|Damaged|Exit)\b.*", re.MULTILINE)


@dataclass
class Findings:
    """What became of one target's cases."""

    name: str
    cases: int = 0
    crashes: int = 0
    hangs: int = 0
    peak_rss_mb: int = 0
    seconds: float = 0.0
    coverage: int = 0
    """Edges of Python code that were reached."""
    kept: list[dict[str, str]] = field(default_factory=list)
    """For each that broke something: why, and where the case is."""


def fuzzed(name: str, target: Target, cases: int, seed: int, tell: Callable[[str], None]) -> Findings:
    """Run so many cases of a target; the same seed makes the same ones, as long as the code is the same."""
    found, begun = Findings(name), time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, case in enumerate(target.seeds()):
            (corpus / f"seed-{number:02}").write_bytes(case)
        turn = 0
        while found.cases < cases and len(found.kept) < MOST_FINDINGS:
            before = found.cases
            _run(found, folder, min(cases - found.cases, MOST_RUNS), seed + turn, tell)
            if found.cases == before:
                raise SystemExit(f"{name}: the fuzzer did not start: {_last(folder / 'log')}")
            turn += 1
    found.seconds = round(time.monotonic() - begun, 1)
    return found


def _run(found: Findings, folder: Path, cases: int, seed: int, tell: Callable[[str], None]) -> None:
    """One process, to its end."""
    progress, log, artifacts = folder / "progress", folder / "log", folder / "artifacts"
    progress.write_bytes(bytes(PROGRESS.size))
    shutil.rmtree(artifacts, ignore_errors=True)
    artifacts.mkdir()
    flags = (
        f"-runs={cases}",
        f"-seed={seed}",
        f"-timeout={CASE_SECONDS}",
        f"-rss_limit_mb={2 * MOST_MEGABYTES}",
        f"-max_len={LONGEST_CASE}",
        f"-artifact_prefix={artifacts}/",
        "-len_control=0",
        "-mutate_depth=1",
        str(folder / "corpus"),
    )
    with log.open("wb") as output:
        line = [sys.executable, "-m", "tests.fuzz.worker", found.name, str(progress), *flags]
        ended = subprocess.run(line, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False)
    done, peak = PROGRESS.unpack(progress.read_bytes())
    found.cases += done
    found.peak_rss_mb = max(found.peak_rss_mb, peak)
    told = log.read_text(errors="replace")
    found.coverage = max((int(edges) for edges in re.findall(r"cov: (\d+)", told)), default=found.coverage)
    if ended.returncode == 0:
        return
    found.hangs += ended.returncode == _HANG
    found.crashes += ended.returncode != _HANG
    for artifact in sorted(artifacts.iterdir()):
        _keep(found, artifact, ended.returncode, log, tell)
    if not any(artifacts.iterdir()):
        found.kept.append({"why": f"exit code {ended.returncode}: {_last(log)}", "case": ""})


def _keep(found: Findings, artifact: Path, code: int, log: Path, tell: Callable[[str], None]) -> None:
    """Put the case, and what the fuzzer said, where they stay, and say how to run it again."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    content = artifact.read_bytes()
    kept = FOLDER / f"{found.name}-{hashlib.sha256(content).hexdigest()[:16]}"
    kept.write_bytes(content)
    shutil.copyfile(log, kept.with_suffix(".log"))
    errors = _WHERE.findall(log.read_text(errors="replace"))
    why = {_HANG: f"more than {CASE_SECONDS} s", _MEMORY: f"more than {2 * MOST_MEGABYTES} MB"}.get(
        code, errors[-1][:300] if errors else f"exit code {code}: {_last(log)}"
    )
    found.kept.append({"why": why, "case": str(kept)})
    tell(f"{found.name}: {why}\n  again: python -m tests.fuzz --reproduce {kept.relative_to(ROOT)}")


def _last(log: Path) -> str:
    return process.last_lines(log)
