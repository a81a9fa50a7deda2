"""Which Debian mirror is taken from the host's apt configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded import debian
from infra.settings import StackSettings
from models.errors import ConfigurationError

ONE_LINE = [
    pytest.param("deb http://mirror.test/debian bookworm main", "http://mirror.test/debian", id="plain"),
    pytest.param("deb http://mirror.test/debian/ trixie main\n", "http://mirror.test/debian", id="slash-at-the-end"),
    pytest.param(
        "deb [arch=amd64 signed-by=/k.gpg] https://mirror.test/debian stable main contrib",
        "https://mirror.test/debian",
        id="options",
    ),
    pytest.param("# deb http://old.test/debian bookworm main", None, id="commented-out"),
    pytest.param("deb-src http://mirror.test/debian bookworm main", None, id="sources-only"),
    pytest.param("deb http://mirror.test/debian-security bookworm-security main", None, id="security-only"),
    pytest.param("deb http://mirror.test/ubuntu noble main", None, id="another-distribution"),
    pytest.param("deb cdrom:[Debian]/ bookworm main", None, id="cdrom"),
    pytest.param(
        "deb http://third.test/apt tool main\ndeb http://mirror.test/debian sid main",
        "http://mirror.test/debian",
        id="behind-a-third-party",
    ),
    pytest.param("", None, id="empty"),
]

DEB822 = [
    pytest.param(
        "Types: deb\n# once:\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
        "http://mirror.test/debian",
        id="plain",
    ),
    pytest.param(
        "Types: deb\nURIs: http://mirror.test/debian-security\nSuites: bookworm-security\n\n"
        "Types: deb deb-src\nURIs: http://mirror.test/debian\nSuites: bookworm\n",
        "http://mirror.test/debian",
        id="second-paragraph",
    ),
    pytest.param(
        "types: deb\nuris:\n http://mirror.test/debian\nsuites:\n trixie\n", "http://mirror.test/debian", id="folded"
    ),
    pytest.param("Enabled: no\nTypes: deb\nURIs: http://mirror.test/debian\nSuites: trixie\n", None, id="disabled"),
    pytest.param("Types: deb-src\nURIs: http://mirror.test/debian\nSuites: trixie\n", None, id="sources-only"),
    pytest.param(
        "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: trixie\n",
        "mirror+file:///etc/apt/mirrors/debian.list",
        id="mirror-list",
    ),
    pytest.param("Types: deb\nURIs: https://third.test/node\nSuites: nodistro\n", None, id="third-party"),
]


@pytest.mark.parametrize(("text", "expected"), ONE_LINE)
def test_a_mirror_is_found_in_one_line_sources(text: str, expected: str | None) -> None:
    assert debian.mirror(debian.one_line_sources(text)) == expected


@pytest.mark.parametrize(("text", "expected"), DEB822)
def test_a_mirror_is_found_in_deb822_sources(text: str, expected: str | None) -> None:
    assert debian.mirror(debian.deb822_sources(text)) == expected


def test_both_kinds_of_files_are_read_and_disabled_ones_are_not(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.test/debian trixie main\n")
    (parts / "a.sources").write_text("Types: deb\nURIs: http://two.test/debian\nSuites: trixie\n")
    (parts / "b.list.disabled").write_text("deb http://three.test/debian trixie main\n")

    assert [source.uri for source in debian.host_sources(tmp_path)] == [
        "http://one.test/debian",
        "http://two.test/debian",
    ]


def test_a_host_without_apt_configuration_has_no_sources(tmp_path: Path) -> None:
    assert list(debian.host_sources(tmp_path / "absent")) == []


def test_a_missing_keyring_is_the_users_to_fix(tmp_path: Path) -> None:
    settings = StackSettings(debian_mirror="http://mirror.test/debian", debian_keyring=tmp_path / "absent.gpg")

    with pytest.raises(ConfigurationError, match="FLEETTWIN_STACK__DEBIAN_KEYRING"):
        debian.Packages(settings, tmp_path / "apt", tmp_path / "log")


def test_apts_state_and_signatures_are_our_own(tmp_path: Path) -> None:
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    settings = StackSettings(debian_mirror="http://mirror.test/debian", debian_keyring=keyring, debian_suite="trixie")
    debian.Packages(settings, tmp_path / "apt", tmp_path / "log")

    source = (tmp_path / "apt" / "sources.list").read_text()
    assert source == f"deb [signed-by={keyring} arch=amd64] http://mirror.test/debian trixie main\n"
    configuration = (tmp_path / "apt" / "apt.conf").read_text()
    assert f'Dir::State "{tmp_path}/apt/state";' in configuration
    assert "#clear APT::Update::Post-Invoke;" in configuration
