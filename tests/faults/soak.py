"""Fault after fault, chosen by a seed, on a twin under load; in the end everything is held against the oracle."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tests.faults.faults import FAULTS, OUTAGES, Fault
from tests.faults.fleet import dirty_fleet
from tests.faults.twin import Twin, whole_twin

LONGEST_PEACE_SECONDS = 3.0
"""Between the recovery from one fault and the next."""


@dataclass(frozen=True, slots=True)
class Done:
    """One fault, and the seconds until rows of all sites came again."""

    number: int
    fault: str
    recovery_seconds: float


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of it. `lost`, `duplicated` and `different` should be 0.

    `lost`: records that a sender was told are stored and that are not, or not as they were sent; and outputs and rows
    that are missing. `duplicated`: records that were sent once and are there twice; and outputs and rows that should
    not be there. `different`: outputs that are not what the oracle says. `repeated` are outputs that are there again,
    word for word, as consumers have to expect after a crash.
    """

    faults: int
    seed: int
    rate: int
    seconds: float
    records_noted: int
    readings: int
    lost: int
    duplicated: int
    different: int
    repeated: int
    pending: int
    longest_recovery_seconds: float
    restarts: dict[str, dict[int, int]]
    done: tuple[Done, ...]
    outages: tuple[Done, ...]
    """Long ones, if they were asked for; not among `faults`, nor in the longest recovery."""
    first_difference: Any = None

    def report(self) -> dict[str, Any]:
        """All of it, for machines."""
        return asdict(self)


def soaked(
    faults: int,
    seed: int,
    rate: int,
    folder: Path,
    cache: Path,
    tell: Callable[[str], None],
    *,
    outages: bool = False,
    **more: str,
) -> Soaked:
    """Do so many faults to a twin that takes `rate` readings a second, and long outages after them if wanted.

    `tell` hears of each; `more` are further variables of the workers' environment.
    """
    choice, began, done = random.Random(seed), time.monotonic(), list[Done]()
    chosen = [*islice(_rounds(choice), faults), *(OUTAGES if outages else ())]
    with whole_twin(folder, cache, dirty_fleet(rate), **more) as twin:
        tell(f"live, {time.monotonic() - began:.0f} s after the start")
        for number, fault in enumerate(chosen, 1):
            done.append(_done(twin, number, fault, choice))
            tell(f"{number:>4}  {done[-1].recovery_seconds:6.1f} s  {done[-1].fault}")
        twin.settle()
        tell("everything is stored; the oracle is asked")
        verified, notes = twin.verified(), twin.check_notes()
        restarts = {member.name: dict(member.ends) for member in twin.crew.members.values()}
    tallies = list(verified["compared"].values())

    def of(what: str) -> int:
        return sum(int(tally[what]) for tally in tallies)

    return Soaked(
        faults=faults,
        seed=seed,
        rate=rate,
        seconds=round(time.monotonic() - began, 1),
        records_noted=notes.noted,
        readings=verified["readings"]["observed"] + verified["readings"]["refused"],
        lost=notes.lost + of("missing"),
        duplicated=notes.repeated + of("unexpected"),
        different=of("different"),
        repeated=of("repeated"),
        pending=verified["pending"],
        longest_recovery_seconds=max((one.recovery_seconds for one in done[:faults]), default=0.0),
        restarts=restarts,
        done=tuple(done[:faults]),
        outages=tuple(done[faults:]),
        first_difference=verified["first_difference"],
    )


def _rounds(choice: random.Random) -> Iterator[Fault]:
    """All faults in some order, again and again."""
    while True:
        yield from choice.sample(FAULTS, len(FAULTS))


def _done(twin: Twin, number: int, fault: Fault, choice: random.Random) -> Done:
    peace = time.monotonic() + choice.uniform(0, LONGEST_PEACE_SECONDS)
    twin.crew.wait_until(lambda: time.monotonic() >= peace, "time passes", 60)
    moment = fault(twin, choice)
    return Done(number, fault.__name__, round(twin.recovered_after(moment), 2))
