"""The archive of Kafka's classes: made by a real broker, or left out where the JVM makes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded import downloads, kafka_classes, tools
from infra.settings import StackSettings
from models.errors import Unavailable
from tests.servers import CACHE

pytestmark = pytest.mark.servers


def java_that(folder: Path, does: str) -> str:
    """A Java with a mind of its own; its arguments are the shell's."""
    script = folder / "java"
    script.write_text(f"#!/bin/bash\n{does}\n")
    script.chmod(0o755)
    return str(script)


def jars() -> Path:
    return downloads.files(StackSettings(), CACHE).kafka_libraries


def test_a_java_that_makes_no_archive_does_without(tmp_path: Path) -> None:
    real = tools.find("java")
    others = 'for one in "$@"; do [[ $one == *ArchiveClassesAtExit* ]] || kept+=("$one"); done'
    java = java_that(tmp_path, f'{others}; exec {real} "${{kept[@]}}"')

    assert kafka_classes.archive(tmp_path / "cache", java, jars()) is None


def test_a_kafka_that_does_not_start_is_told_with_its_words(tmp_path: Path) -> None:
    starts = '[[ " $* " != *" kafka.Kafka "* ]] || { echo "Could not reserve enough space"; exit 1; }'
    java = java_that(tmp_path, f'{starts}; exec {tools.find("java")} "$@"')

    with pytest.raises(Unavailable, match=r"Could not reserve enough space.*kafka-classes\.log"):
        kafka_classes.archive(tmp_path / "cache", java, jars())

    assert not list((tmp_path / "cache").glob("classes-*")), "nothing half-made stays"
