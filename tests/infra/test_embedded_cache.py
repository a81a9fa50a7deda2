"""Downloads are whole or not there."""

from __future__ import annotations

import errno
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.embedded import cache, kafka_files
from models.errors import Unavailable


def whole(staging: Path) -> str:
    (staging / "file").write_text("whole")
    return "thing-1"


def cut_off(staging: Path) -> str:
    (staging / "file").write_text("half")
    raise KeyboardInterrupt


def test_a_download_is_built_once(tmp_path: Path) -> None:
    calls: list[Path] = []

    def build(staging: Path) -> str:
        calls.append(staging)
        return whole(staging)

    first = cache.prepared(tmp_path, "thing-*", build)

    assert cache.prepared(tmp_path, "thing-*", build) == first == tmp_path / "thing-1"
    assert (first / "file").read_text() == "whole"
    assert len(calls) == 1


def test_two_that_want_it_at_once_build_it_once(tmp_path: Path) -> None:
    calls: list[Path] = []

    def build(staging: Path) -> str:
        calls.append(staging)
        return whole(staging)

    with ThreadPoolExecutor(4) as pool:
        found = {pool.submit(cache.prepared, tmp_path, "thing-*", build) for _ in range(4)}

    assert {future.result() for future in found} == {tmp_path / "thing-1"}
    assert len(calls) == 1


def test_a_cut_off_download_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        cache.prepared(tmp_path, "thing-*", cut_off)

    assert cache.present(tmp_path, "thing-*") is None
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_what_a_killed_download_left_is_removed(tmp_path: Path) -> None:
    leftover = tmp_path / ".building-thing--abc"
    leftover.mkdir()
    (leftover / "file").write_text("half")

    assert cache.present(tmp_path, "thing-*") is None
    assert cache.prepared(tmp_path, "thing-*", whole) == tmp_path / "thing-1"
    assert not leftover.exists()


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    def build(_: Path) -> str:
        raise OSError(errno.ENOSPC, "No space left on device", "some/file")

    with pytest.raises(Unavailable, match=r"No space left on device \(some/file\)"):
        cache.prepared(tmp_path, "thing-*", build)


def test_the_newest_version_is_taken(tmp_path: Path) -> None:
    for name in ("thing-1", "thing-2", "other-3"):
        (tmp_path / name).mkdir()

    assert cache.present(tmp_path, "thing-*") == tmp_path / "thing-2"


def test_every_jar_is_locked() -> None:
    text = Path(kafka_files.__file__).with_name("kafka.sha256").read_text()
    locked = kafka_files.read_sums(text)

    assert f"kafka_2.13-{kafka_files.version()}.jar" in locked
    assert all(len(digest) == 64 for digest in locked.values())


def test_a_disk_without_room_is_named_before_anything_is_downloaded(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free

    cache.require_room(tmp_path / "not" / "there" / "yet", free // 2)
    with pytest.raises(Unavailable, match=re.escape(f"the disk of {tmp_path}: it has")):
        cache.require_room(tmp_path / "not" / "there" / "yet", free * 2)
