"""Runs one target under atheris until it is done or something is wrong; the supervisor starts it, and starts it again.

    python -m tests.fuzz.worker TARGET PROGRESS FLAG ...

PROGRESS is a file of `progress.PROGRESS`. FLAGs are libFuzzer's. Its exit codes: 0 done, 70 a case took too long, 71
too much memory, 77 an exception.
"""

from __future__ import annotations

import mmap
import sys
from pathlib import Path
from random import Random

import atheris

from tests.fuzz.progress import PROGRESS

INSTRUMENTED = ["models", "twin", "infra", "streams.console", "streams.consumers", "streams.workers.checkpointing"]


def main() -> None:
    """Hand the target to libFuzzer, which does not return."""
    name, progress, *flags = sys.argv[1:]
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.checking import Memory
        from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    with Path(progress).open("r+b") as file:
        counted = mmap.mmap(file.fileno(), PROGRESS.size)
    cases = 0

    def one_case(case: bytes) -> None:
        nonlocal cases
        cases += 1
        PROGRESS.pack_into(counted, 0, cases, Memory.peak)
        with Memory.bounded():
            target.run(case)

    def changed(case: bytes, longest: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.1:
            return bytes(atheris.Mutate(case, min(len(case) + 64, longest)))
        return target.change(case, random)[:longest]

    atheris.Setup([sys.argv[0], *flags], one_case, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
