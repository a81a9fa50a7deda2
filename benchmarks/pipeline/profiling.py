"""Where the time of a Python process goes while it works: py-spy looks a hundred times a second, threads idle left out.

Needs the right to trace processes: root, or `kernel.yama.ptrace_scope=0`.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RATE = 100
TOLD = 25


@dataclass(frozen=True, slots=True)
class Share:
    """Of the samples of one process: how many hold a function anywhere, and how many end in it."""

    function: str
    inclusive: float
    own: float


@contextmanager
def profiled(processes: Mapping[str, int], seconds: int, folder: Path) -> Iterator[None]:
    """Record these processes, by name and id, from now on; `NAME.stacks` in the folder has what flame graphs need."""
    folder.mkdir(parents=True, exist_ok=True)
    program = Path(sys.executable).with_name("py-spy")
    recorders = {
        name: subprocess.Popen(
            [
                str(program),
                "record",
                *("--pid", str(pid)),
                *("--duration", str(seconds)),
                *("--rate", str(RATE)),
                *("--format", "raw"),
                *("--output", str(folder / f"{name}.stacks")),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for name, pid in processes.items()
    }
    try:
        yield
    finally:
        for name, recorder in recorders.items():
            _, said = recorder.communicate(timeout=seconds + 30)
            if recorder.returncode:
                print(f"py-spy could not look at {name}: {said.decode(errors='replace').strip()}", file=sys.stderr)


def shares(stacks: Iterable[str]) -> list[Share]:
    """By function, most first; lines are `outermost;...;innermost COUNT`."""
    inclusive, own, total = Counter[str](), Counter[str](), 0
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        if not count.isdecimal():
            continue  # a stack that changed while it was read
        functions = [frame.rpartition(":")[0] + ")" if frame.endswith(")") else frame for frame in stack.split(";")]
        total += int(count)
        own[functions[-1]] += int(count)
        for function in set(functions):
            inclusive[function] += int(count)
    return [Share(function, count / total, own[function] / total) for function, count in inclusive.most_common()]


def told(folder: Path) -> Iterator[str]:
    """The largest shares of each process that was recorded, as lines: in themselves, and of our own functions whole."""
    for file in sorted(folder.glob("*.stacks")):
        found = shares(file.read_text(encoding="utf-8", errors="replace").splitlines())
        yield f"{file.stem}: part of the busy time that ends in a function"
        for share in sorted(found, key=lambda share: -share.own)[:TOLD]:
            yield f"  {share.own:6.1%}  {share.function}"
        yield f"{file.stem}: part of the busy time with a function of ours on the stack"
        for share in [share for share in found if "(" in share.function and _ours(share.function)][:TOLD]:
            yield f"  {share.inclusive:6.1%}  {share.function}"


def _ours(function: str) -> bool:
    return function.rpartition("(")[2].startswith(("models/", "twin/", "streams/", "infra/"))
