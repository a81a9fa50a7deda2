"""What is said on a machine that cannot run the servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded import tools
from models.errors import Unavailable

VERSIONS = [
    pytest.param('openjdk version "17.0.15" 2025-04-15', 17, id="17"),
    pytest.param('java version "1.8.0_402"', 8, id="8"),
    pytest.param('openjdk version "25" 2025-09-16', 25, id="no-minor"),
    pytest.param("no such thing", None, id="none"),
]


@pytest.mark.parametrize(("text", "expected"), VERSIONS)
def test_the_major_version_of_java_is_read(text: str, expected: int | None) -> None:
    assert tools.java_version(text) == expected


@pytest.mark.parametrize(
    ("system", "machine", "libc"),
    [
        pytest.param("darwin", "x86_64", "glibc", id="system"),
        pytest.param("linux", "aarch64", "glibc", id="processor"),
        pytest.param("linux", "x86_64", "musl", id="c-library"),
    ],
)
def test_other_platforms_are_told_the_other_ways(system: str, machine: str, libc: str) -> None:
    with pytest.raises(Unavailable, match=r"FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS.*docker compose"):
        tools.require_platform(system, machine, libc)


def test_linux_on_x86_64_with_glibc_will_do() -> None:
    tools.require_platform("linux", "x86_64", "glibc")


def test_a_failing_command_quotes_its_last_words_and_names_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"

    with pytest.raises(Unavailable, match="reading: it ended with 1: cat: /absent: No such file") as raised:
        tools.run_logged(["cat", "/absent"], log, "reading")
    assert str(log) in raised.value.way_out


def test_an_old_java_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(Unavailable, match=r"Java 17 or newer; .*/bin/java is version 11\. .*openjdk-17-jre-headless"):
        tools.java()
