"""Every fault once, in the order of a seed, under a light load; `make soak` has the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.faults import FAULTS
from tests.faults.soak import soaked
from tests.servers import CACHE

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1800)]

SEED = 2026
RATE = 1_000


def test_whatever_happens_nothing_is_lost_doubled_or_different(tmp_path: Path) -> None:
    result = soaked(len(FAULTS), SEED, RATE, tmp_path, CACHE, print)

    assert {one.fault for one in result.done} == {fault.__name__ for fault in FAULTS}
    assert (result.lost, result.duplicated, result.different) == (0, 0, 0), result.first_difference
    assert result.records_noted > 0
    assert result.readings > 0
