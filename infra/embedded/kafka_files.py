"""Apache Kafka's files: the jars that pom.xml names, resolved by Maven and checked against kafka.sha256."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from infra.embedded import cache, process, tools
from models.errors import Unavailable

_POM: Final = Path(__file__).with_name("pom.xml")
_SUMS: Final = Path(__file__).with_name("kafka.sha256")


def version() -> str:
    """The version of Kafka in pom.xml."""
    found = re.search(r"<artifactId>kafka_[^<]*</artifactId>\s*<version>([^<]+)<", _POM.read_text(encoding="utf-8"))
    if found is None:
        raise Unavailable("Apache Kafka", f"{_POM} names no version", "Install fleettwin again.")
    return found.group(1)


def present(folder: Path) -> bool:
    """True if nothing has to be downloaded."""
    return cache.present(folder, _name()) is not None


def libraries(folder: Path, log: Path, tell: Callable[[str], None]) -> Path:
    """The folder of jars, downloaded if need be.

    Raises:
        Unavailable: if a download failed or a file is not the one that was locked.
    """

    def build(staging: Path) -> str:
        tell("jars")
        log.unlink(missing_ok=True)
        _resolve(staging, log)
        _check(sums(staging), read_sums(_SUMS.read_text(encoding="ascii")))
        return _name()

    return cache.prepared(folder, _name(), build)


def sums(folder: Path) -> dict[str, str]:
    """SHA-256 of each jar, by file name."""
    return {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted(folder.glob("*.jar"))}


def read_sums(text: str) -> dict[str, str]:
    """The same from `sha256sum`'s format."""
    return {name: digest for digest, name in (line.split() for line in text.splitlines())}


def _name() -> str:
    key = hashlib.sha256(_POM.read_bytes() + _SUMS.read_bytes()).hexdigest()[:10]
    return f"kafka-{version()}-{key}"


def _resolve(folder: Path, log: Path) -> None:
    """Let Maven copy the jars here; its own repository is discarded, for nothing may lie outside our folder."""
    repository = folder / "repository"
    command = ["mvn", "--batch-mode", "--no-transfer-progress", "--strict-checksums", "--file", str(_POM)]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    tied = process.tied([*command, f"-Dmaven.repo.local={repository}"], signal.SIGTERM)
    tools.run_logged(tied, log, "downloading Apache Kafka with Maven")
    shutil.rmtree(repository)


def _check(found: dict[str, str], locked: dict[str, str]) -> None:
    wrong = sorted(name for name in found.keys() | locked.keys() if found.get(name) != locked.get(name))
    if wrong:
        why = f"the downloaded files are not the locked ones: {', '.join(wrong[:5])}"
        raise Unavailable("Apache Kafka", why, f"Ask who runs your Maven mirror; the locked sums are in {_SUMS}.")


def lock() -> None:
    """Write kafka.sha256 anew, for whoever changes pom.xml."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "jars"
        folder.mkdir()
        _resolve(folder, Path(scratch) / "maven.log")
        lines = [f"{digest}  {name}\n" for name, digest in sums(folder).items()]
    _SUMS.write_text("".join(lines), encoding="ascii")
    sys.stderr.write(f"{_SUMS.name}: {len(lines)} files\n")


if __name__ == "__main__":
    lock()
