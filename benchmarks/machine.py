"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("fleettwin", "faust-streaming", "aiokafka", "uvloop", "pyarrow", "numpy", "highspy")


def machine() -> dict[str, str | int]:
    """The hardware, the versions and the date."""
    return {**hardware(), **versions()}


def hardware() -> dict[str, str | int]:
    """Processor, cores that may be used, memory, and the date."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str | int]:
    """Of Python and of what the figures depend on most."""
    return {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
