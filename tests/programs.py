"""Small programs in a Python of their own, for what ends its process or must be alone in it."""

from __future__ import annotations

import subprocess
import sys

from tests.live.world import ROOT


def ran_as(program: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, whatever its exit code: what it says tells more."""
    return subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
