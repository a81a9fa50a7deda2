"""The wheel: what is installed is all that is in the repository, and runs without it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("models", "twin", "streams", "infra", "dashboards", "cli", "scenarios")


def run(*command: str | Path, cwd: Path) -> str:
    """The output of a command that neither sees the checkout's environment nor its folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FLEETTWIN"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A fresh environment with the wheel in it; the dependencies are lent by the one that runs the tests.

    They are lent by a path file, which names a folder without reading the path files in it: those of the editable
    installation do not count.
    """
    environment = wheel.parent / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=wheel.parent)
    site_packages = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    python = environment / "bin" / "python"
    install = (sys.executable, "-m", "uv", "--quiet", "pip", "install", "--offline", "--no-deps", "--no-index")
    run(*install, "--python", python, wheel, cwd=wheel.parent)
    (site_packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return environment


def tracked() -> set[str]:
    """What git has of the packages."""
    names = run("git", "-C", ROOT, "ls-files", "-z", "--", *PACKAGES, cwd=ROOT)
    return {name for name in names.split("\0") if name and (ROOT / name).is_file()}


def test_every_tracked_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nobody says which files belong to it")

    with zipfile.ZipFile(wheel) as archive:
        assert tracked() - set(archive.namelist()) == set()


def test_nothing_but_the_packages_is_installed_at_the_top(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_command_runs_from_the_wheel_alone(installed: Path) -> None:
    shown = run(installed / "bin" / "fleettwin", "--help", cwd=installed)

    assert "Usage" in shown
    for command in ("topics", "record", "replay", "traces", "alerts"):
        assert command in shown


@pytest.mark.parametrize("package", PACKAGES)
def test_the_installed_package_answers_and_not_the_checkout(installed: Path, package: str) -> None:
    where = run(installed / "bin" / "python", "-c", f"import {package}; print({package}.__file__)", cwd=installed)

    assert Path(where.strip()).is_relative_to(installed)


def test_data_files_are_read_from_where_they_are_installed(installed: Path) -> None:
    program = "from models.catalogue import shipped_catalogue; print(len(shipped_catalogue().codes))"

    assert int(run(installed / "bin" / "python", "-c", program, cwd=installed)) > 0
