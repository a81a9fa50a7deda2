"""TimescaleDB's files in a folder that any glibc can run: Debian's packages with their own C library beside them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from infra.embedded import cache, debian, tools
from infra.settings import StackSettings

POSTGRES_MAJOR: Final = 17
_SERVER: Final = f"postgresql-{POSTGRES_MAJOR}"
_EXTENSION: Final = f"{_SERVER}-timescaledb"
_WANTED: Final = (_SERVER, _EXTENSION, f"postgresql-client-{POSTGRES_MAJOR}", "libc6")
_UNUSED: Final = re.compile(
    r"lib(llvm|z3|clang|db5|debconf|semanage|sepol|bsd|md0|edit|ffi|c-bin|c-l10n)|.*perl.*|.*-(common|modules)"
)
"""For the just-in-time compiler and Debian's maintainer scripts, both of which we leave out."""
_LIBRARIES: Final = Path("usr/lib/x86_64-linux-gnu")
_PROGRAMS: Final = Path(f"usr/lib/postgresql/{POSTGRES_MAJOR}")


def present(folder: Path, settings: StackSettings) -> bool:
    """True if nothing has to be downloaded."""
    return cache.present(folder, _pattern(settings)) is not None


def programs(folder: Path, settings: StackSettings, log: Path, tell: Callable[[str], None]) -> Path:
    """The folder with `postgres` and `initdb`, downloaded and made to run from where it is.

    Raises:
        ConfigurationError: if there is no Debian mirror or keyring.
        Unavailable: if a download failed.
    """

    def build(staging: Path) -> str:
        return _download(staging, settings, log, tell)

    root = cache.prepared(folder, _pattern(settings), build).resolve()
    _patch(root, log)
    return root / _PROGRAMS / "bin"


def _pattern(settings: StackSettings) -> str:
    return f"timescaledb-{settings.debian_suite}-*"


def _download(staging: Path, settings: StackSettings, log: Path, tell: Callable[[str], None]) -> str:
    log.unlink(missing_ok=True)
    packages = debian.Packages(settings, staging / "apt", log)
    tell("package lists")
    packages.update()
    tell("packages")
    libraries = [name for name in packages.libraries_of(_EXTENSION) if not _UNUSED.match(name)]
    unpacked = staging / "unpacked"
    unpacked.mkdir()
    versions = packages.unpack(sorted({*_WANTED, *libraries}), unpacked)
    _keep(unpacked, staging)
    packages.discard()
    version = versions[_EXTENSION].partition("+")[0]
    return f"timescaledb-{settings.debian_suite}-{version}-pg{POSTGRES_MAJOR}"


def _keep(unpacked: Path, root: Path) -> None:
    """Move what the server reads at run time and drop the rest."""
    for part in (_PROGRAMS, Path(f"usr/share/postgresql/{POSTGRES_MAJOR}"), _LIBRARIES):
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / part).rename(root / part)
    shutil.rmtree(unpacked)
    for folder in [path for path in (root / _LIBRARIES).iterdir() if path.is_dir() and not path.is_symlink()]:
        shutil.rmtree(folder)
    shutil.rmtree(root / _PROGRAMS / "lib" / "bitcode", ignore_errors=True)
    for compiled in (root / _PROGRAMS / "lib").glob("llvmjit*"):
        compiled.unlink()


def _patch(root: Path, log: Path) -> None:
    """Make the programs use the loader beside them; its path is absolute, so a moved folder needs it again."""
    note = root / "patched-for"
    if note.is_file() and note.read_text(encoding="utf-8") == str(root):
        return
    patchelf = tools.find("patchelf") or "patchelf"
    loader = root / _LIBRARIES / "ld-linux-x86-64.so.2"
    with cache.locked(root.parent / ".patching.lock"):
        for program in sorted((root / _PROGRAMS / "bin").iterdir()):
            if program.is_symlink() or program.suffix == ".patched" or program.read_bytes()[:4] != b"\x7fELF":
                continue
            patched = program.with_name(program.name + ".patched")
            command = [patchelf, "--set-interpreter", str(loader), "--force-rpath", "--set-rpath"]
            command += ["$ORIGIN/../../../x86_64-linux-gnu", "--output", str(patched), str(program)]
            tools.run_logged(command, log, f"making {program.name} run")
            patched.chmod(0o755)
            patched.replace(program)
        note.write_text(str(root), encoding="utf-8")
