"""Debian packages by the host's apt-get and mirror, but with a state of its own: the host is not touched."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.embedded import process, tools
from infra.settings import StackSettings
from models.errors import ConfigurationError

_SUITES: Final = frozenset(
    {
        "buster",
        "bullseye",
        "bookworm",
        "trixie",
        "forky",
        "duke",
        "sid",
        "oldoldstable",
        "oldstable",
        "stable",
        "testing",
        "unstable",
    }
)
_HOOKS: Final = (
    "APT::Update::Pre-Invoke",
    "APT::Update::Post-Invoke",
    "APT::Update::Post-Invoke-Success",
    "DPkg::Post-Invoke",
)
"""The host's own hooks; some container images clean the host's package cache in them."""


@dataclass(frozen=True, slots=True)
class Source:
    """One archive in an apt configuration."""

    uri: str
    suites: tuple[str, ...]


def host_sources(folder: Path = Path("/etc/apt")) -> Iterator[Source]:
    """The binary archives that this host uses, in apt's order."""
    listed = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for path in listed:
        if path.suffix not in {".list", ".sources"} or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        yield from (deb822_sources(text) if path.suffix == ".sources" else one_line_sources(text))


def one_line_sources(text: str) -> Iterator[Source]:
    """The archives of a `sources.list`: `deb [options] uri suite component...`."""
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+(\S+)", line)
        if found:
            yield Source(found.group(1), (found.group(2),))


def deb822_sources(text: str) -> Iterator[Source]:
    """The archives of a `*.sources` file: paragraphs of fields, with continuation lines."""
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n[ \t]*\n", uncommented):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.splitlines():
            if line[:1] in {" ", "\t"}:
                fields[name] = f"{fields.get(name, '')} {line.strip()}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() not in {"no", "false"}:
            for uri in fields.get("uris", "").split():
                yield Source(uri, tuple(fields.get("suites", "").split()))


def mirror(sources: Iterator[Source]) -> str | None:
    """The first archive with a Debian release in it; security and update archives carry only their own suites."""
    for source in sources:
        if not source.uri.startswith("cdrom:") and _SUITES.intersection(source.suites):
            return source.uri.rstrip("/")
    return None


class Packages:
    """Packages of one Debian suite.

    Args:
        settings: Names the suite, the keyring and, if need be, the mirror.
        folder: A folder of its own for apt's state.
        log: Where apt's words go.

    Raises:
        ConfigurationError: if there is no mirror or no keyring.
    """

    def __init__(self, settings: StackSettings, folder: Path, log: Path) -> None:
        self._log, self._folder = log, folder
        uri = settings.debian_mirror or mirror(host_sources())
        if uri is None:
            expected = "the URL of a Debian mirror, as this host's apt configuration has none"
            raise ConfigurationError("FLEETTWIN_STACK__DEBIAN_MIRROR", None, expected)
        if not settings.debian_keyring.is_file():
            expected = "the path of Debian's archive keyring (apt-get install debian-archive-keyring)"
            raise ConfigurationError("FLEETTWIN_STACK__DEBIAN_KEYRING", str(settings.debian_keyring), expected)
        for part in ("state/lists/partial", "cache/archives/partial", "downloads"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        line = f"deb [signed-by={settings.debian_keyring.resolve()} arch=amd64] {uri} {settings.debian_suite} main\n"
        (folder / "sources.list").write_text(line, encoding="utf-8")
        (folder / "apt.conf").write_text(_configuration(folder), encoding="utf-8")

    def update(self) -> None:
        """Fetch the package lists and check their signatures."""
        self._apt_get("update")

    def libraries_of(self, package: str) -> list[str]:
        """The library packages that installing `package` on an empty system would bring."""
        command = self._command("--simulate", "install", package)
        plan = subprocess.run(command, check=False, capture_output=True, text=True)
        if plan.returncode != 0:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(plan.stdout + plan.stderr)
            self._apt_get("--simulate", "install", package)
        names = re.findall(r"^Inst (\S+)", plan.stdout, re.MULTILINE)
        return [name for name in names if name.startswith("lib") or name == "zlib1g"]

    def unpack(self, packages: Sequence[str], root: Path) -> dict[str, str]:
        """Download the packages, unpack them below `root` and return their versions by name."""
        downloads = self._folder / "downloads"
        self._apt_get("download", *packages, folder=downloads)
        versions = {}
        for archive in sorted(downloads.glob("*.deb")):
            tools.run_logged(["dpkg-deb", "--extract", str(archive), str(root)], self._log, f"unpacking {archive.name}")
            name, version, _ = archive.name.split("_")
            versions[name] = version
            archive.unlink()
        return versions

    def discard(self) -> None:
        """Remove apt's state."""
        shutil.rmtree(self._folder)

    def _apt_get(self, *arguments: str, folder: Path | None = None) -> None:
        what = "downloading TimescaleDB from the Debian mirror"
        command = process.tied(self._command(*arguments), signal.SIGTERM)
        tools.run_logged(command, self._log, what, folder=folder)

    def _command(self, *arguments: str) -> list[str]:
        return ["apt-get", "--config-file", str(self._folder / "apt.conf"), "--quiet=2", *arguments]


def _configuration(folder: Path) -> str:
    """What apt reads last: the host's proxies and certificates still hold, its state and hooks do not."""
    values = {
        "Dir::Etc::sourcelist": f"{folder}/sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": f"{folder}/state",
        "Dir::State::status": f"{folder}/status",
        "Dir::Cache": f"{folder}/cache",
        "Dir::Log": f"{folder}",
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Debug::NoLocking": "true",
    }
    lines = [f"#clear {hook};" for hook in _HOOKS]
    lines += ["#clear APT::Architectures;"]
    lines += [f'{name} "{value}";' for name, value in values.items()]
    return "\n".join(lines) + "\n"
