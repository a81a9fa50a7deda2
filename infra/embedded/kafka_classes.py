"""The classes of Apache Kafka, archived once for each Java, so that no start parses and verifies them anew."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Final

from infra.embedded import cache, ports, tools
from infra.embedded.kafka import Kafka

_FILE: Final = "classes.jsa"


def archive(folder: Path, java: str, libraries: Path) -> Path | None:
    """The archive for this Java and these jars, made if need be by a broker that runs for some seconds.

    Args:
        folder: The folder of all downloads.
        java: The Java that shall use it; another one would not take it.
        libraries: The folder of Kafka's jars, where they stay.

    Returns:
        The file, or None if this Java makes none.

    Raises:
        Unavailable: if Kafka does not run here.
    """
    key = hashlib.sha256(f"{java}\n{tools.java_says(java)}\n{libraries}".encode()).hexdigest()[:10]
    name = f"classes-{key}"

    def build(staging: Path) -> str:
        with tempfile.TemporaryDirectory() as scratch:
            log = folder / "kafka-classes.log"
            port = ports.choose("", None, None)
            controller = ports.choose("", None, None, {port})
            kafka = Kafka(java, libraries, Path(scratch), log, port, controller)
            kafka.prepare()
            kafka.archive_classes(staging / _FILE)
        return name

    file = cache.prepared(folder, name, build) / _FILE
    return file if file.is_file() else None
