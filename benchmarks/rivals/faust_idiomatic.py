"""Idiomatic Faust on a topic with a reading in each record; it does part of what our twin does.

It keeps the newest draw of each node and the sum of each site. It has no grace for what comes late, no other measures,
no energy, no checks, no demand and no database.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from benchmarks.rivals.readings import SINGLES
from benchmarks.rivals.rival import Rival
from benchmarks.rivals.topics import told_sums
from benchmarks.stage import Stage

NAME = "faust"
CHANGELOGS = (f"rivals.{NAME}-nodes-changelog",)
"""Of its table; without the prefix."""


def line(_: Stage) -> Sequence[str]:
    """As from Faust's own command line."""
    program = ["-A", "benchmarks.rivals.programs.faust_idiomatic", "-L", "uvloop"]
    return [sys.executable, "-m", "faust", *program, "worker", "--loglevel", "error", "--without-web"]


RIVAL = Rival(NAME, SINGLES, line, partial(told_sums, rival=NAME))
