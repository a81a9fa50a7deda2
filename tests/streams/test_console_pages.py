"""The files of the page: what a browser keeps of them, and that nothing else can be had."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.console_builders import ask, built, transport


def asked(pages: Path, path: str, **said: Any) -> httpx.Response:
    return asyncio.run(ask(built(), path, pages=pages, **said))


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    (folder / "view").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>", encoding="utf-8")
    (folder / "view" / "a.mjs").write_text("export default 1;\n", encoding="utf-8")
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/index.html", "text/html"), ("/view/a.mjs", "text/javascript")],
)
def test_a_file_is_served_as_what_it_is(pages: Path, path: str, kind: str) -> None:
    answer = asked(pages, path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)


def test_a_file_that_the_browser_has_is_not_sent_again(pages: Path) -> None:
    first = asked(pages, "/view/a.mjs")
    again = asked(pages, "/view/a.mjs", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"


def test_a_file_that_holds_something_else_is_sent_though_it_is_as_long_and_as_old(pages: Path) -> None:
    file = pages / "view" / "a.mjs"

    async def story() -> httpx.Response:
        served = transport(built(), pages=pages)
        async with httpx.AsyncClient(trust_env=False, transport=served, base_url="http://127.0.0.1") as client:
            tag = (await client.get("/view/a.mjs")).headers["etag"]
            before = file.stat()
            file.write_text("export default 2;\n", encoding="utf-8")
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            return await client.get("/view/a.mjs", headers={"if-none-match": tag})

    answer = asyncio.run(story())

    assert (answer.status_code, answer.text) == (200, "export default 2;\n")


@pytest.mark.parametrize(
    "path", ["/../secret", "/%2e%2e/secret", "/view/../../secret", "/..%2fsecret", "/view", "/none"]
)
def test_nothing_else_can_be_had(pages: Path, path: str) -> None:
    answer = asked(pages, path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_page_cannot_be_changed(pages: Path) -> None:
    assert asyncio.run(ask(built(), "/index.html", "PUT", pages=pages)).status_code == 405
