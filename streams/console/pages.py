"""The page's own files, from a folder: `/` and whatever it loads."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

CACHE_CONTROL = "no-cache"
"""A browser may keep a file and asks each time whether it is still the same: pages change with the worker."""


@dataclass
class _Tags:
    """The digests of files, worked out again when a file changes."""

    _known: dict[str, tuple[tuple[int, int, int], str]] = field(default_factory=dict)

    def of(self, path: str, stat: os.stat_result) -> str:
        """A digest of what the file holds: files out of a wheel may all be of the same second."""
        version = (stat.st_ino, stat.st_ctime_ns, stat.st_size)
        known = self._known.get(path)
        if known is None or known[0] != version:
            known = version, hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]
            self._known[path] = known
        return f'"{known[1]}"'


class Pages(StaticFiles):
    """Static files that say what they hold by a tag; `/` is `index.html`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True, check_dir=False)
        self._tags = _Tags()

    def file_response(
        self, full_path: Any, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, or 304 where the browser has it."""
        said = {"etag": self._tags.of(str(full_path), stat_result), "cache-control": CACHE_CONTROL}
        response = FileResponse(full_path, status_code, said, stat_result=stat_result)
        del response.headers["last-modified"]  # of no use beside the tag, and wrong where all files are of one second
        return (
            NotModifiedResponse(response.headers)
            if self.is_not_modified(response.headers, Headers(scope=scope))
            else response
        )
