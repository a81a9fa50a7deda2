"""The console's files: all they refer to is there and on this machine, and their logic passes Node's own tests."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "dashboards" / "console"
VENDOR = PAGE / "vendor"
UPLOT = VENDOR / "uplot"
SECONDS = 120

OWN = sorted(one for one in PAGE.rglob("*") if one.is_file() and VENDOR not in one.parents)
VENDORED = [UPLOT / "uPlot.esm.js", UPLOT / "uPlot.min.css"]

ADDRESS = re.compile(r"(?:https?|wss?|ftp)://|[\"'(=]\s*//", re.IGNORECASE)
"""What begins an address of another machine."""
SVG_NAME = "http://www.w3.org/2000/svg"
"""The name of a language; nothing is fetched from it."""
COMMENT = re.compile(r"/\*.*?\*/|(?m:(?:^|\s)//.*$)", re.DOTALL)

TURNS_TEXT_INTO_CODE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTML|DOMParser|srcdoc"
    r"|\beval\b|new Function|javascript:"
)


def named(path: Path) -> str:
    return path.relative_to(PAGE).as_posix()


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_logic_of_the_page_passes_its_own_tests() -> None:
    node = shutil.which("node")
    assert node is not None, "no node on the PATH; on Debian: apt-get install nodejs"
    tests = sorted(map(str, Path(__file__).with_name("console").glob("*.test.mjs")))
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", *tests],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        cwd=ROOT,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed is not None, done.stdout
    assert int(passed[1]) > 100


@pytest.mark.parametrize("file", OWN, ids=named)
def test_no_file_of_the_page_names_an_address_outside(file: Path) -> None:
    assert ADDRESS.findall(text(file).replace(SVG_NAME, "")) == []


@pytest.mark.parametrize("file", VENDORED, ids=named)
def test_vendored_code_names_addresses_in_comments_alone(file: Path) -> None:
    assert ADDRESS.findall(COMMENT.sub("", text(file)).replace(SVG_NAME, "")) == []


@pytest.mark.parametrize("file", [one for one in OWN if one.suffix in {".mjs", ".js", ".html"}], ids=named)
def test_no_file_of_the_page_reads_text_as_html_or_code(file: Path) -> None:
    assert TURNS_TEXT_INTO_CODE.findall(text(file)) == []


def test_the_page_runs_under_a_policy_that_knows_no_inline_code() -> None:
    page = text(PAGE / "index.html")

    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []


def test_all_that_the_page_loads_is_there() -> None:
    page = text(PAGE / "index.html")
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', page)

    assert len(loaded) > 5
    assert [one for one in loaded if not (PAGE / one).is_file()] == []


def imported(module: Path) -> list[Path]:
    return [
        (module.parent / one).resolve() for one in re.findall(r'^import .*?"([^"]+)";$', text(module), re.MULTILINE)
    ]


def test_every_module_is_used_and_is_there() -> None:
    reached, todo = set[Path](), [PAGE / "main.mjs"]
    while todo:
        module = todo.pop()
        reached.add(module)
        if VENDOR not in module.parents:
            todo += [one for one in imported(module) if one not in reached]

    assert {one for one in OWN if one.suffix == ".mjs"} == {one for one in reached if one.suffix == ".mjs"}


def test_pure_modules_import_none_that_touch_the_page_or_the_network() -> None:
    for module in (PAGE / "model").glob("*.mjs"):
        assert {one.parent for one in imported(module)} <= {PAGE / "model"}, module.name
        assert (
            re.findall(r"\b(?:document|window|fetch|localStorage|sessionStorage|location)\b\.?\(?", text(module)) == []
        )


def test_the_chart_library_is_the_packages_own_with_its_licence() -> None:
    lines = [line.split(maxsplit=1) for line in text(UPLOT / "checksums.sha256").splitlines()]
    told = {name: digest for digest, name in lines}
    files = {one.name for one in UPLOT.iterdir()} - {"checksums.sha256", "README.md"}

    assert set(told) == files
    assert {name: hashlib.sha256((UPLOT / name).read_bytes()).hexdigest() for name in files} == told
    assert "Permission is hereby granted, free of charge" in text(UPLOT / "LICENSE")
    assert "(v1.6.32)" in text(UPLOT / "uPlot.esm.js")


def test_no_other_code_is_vendored() -> None:
    assert [one.name for one in VENDOR.iterdir()] == ["uplot"]
