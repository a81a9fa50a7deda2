"""Sequence numbers grow whatever happens, and a folder belongs to one publisher."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import ConfigurationError
from streams.publish.sequences import BOOT, Sequence, boot_after
from streams.publish.state_folder import opened_state


@pytest.mark.parametrize(
    ("stored", "now", "boot"),
    [
        pytest.param(None, 1_796_000_000.9, 1_796_000_000, id="the-first-boot-is-the-time"),
        pytest.param(1_796_000_000, 1_796_000_500.0, 1_796_000_500, id="a-later-time"),
        pytest.param(1_796_000_000, 1_796_000_000.0, 1_796_000_001, id="twice-in-a-second"),
        pytest.param(1_796_000_000, 5.0, 1_796_000_001, id="a-clock-that-went-back"),
    ],
)
def test_a_boot_is_above_all_before_and_not_before_its_time(stored: int | None, now: float, boot: int) -> None:
    assert boot_after(stored, now) == boot


def test_numbers_of_a_boot_grow_and_stay_below_the_next_ones() -> None:
    sequence = Sequence(7)

    assert [sequence.following() for _ in range(3)] == [7 * BOOT, 7 * BOOT + 1, 7 * BOOT + 2]
    assert Sequence(8).following() == 8 * BOOT


def test_a_number_of_this_century_fits_into_a_reading() -> None:
    assert Sequence(boot_after(None, 4_102_444_800.0)).following() < 2**63


def test_numbers_grow_from_one_publisher_to_the_next(tmp_path: Path) -> None:
    numbers = []
    for _ in range(3):
        with opened_state(tmp_path / "state") as state:
            numbers.append(state.sequence.following())

    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize("lost", [b"", b"garbage", b"\xff"])
def test_a_boot_that_cannot_be_read_is_none(tmp_path: Path, lost: bytes) -> None:
    with opened_state(tmp_path) as state:
        before = state.sequence.following()
    (tmp_path / "boot").write_bytes(lost)

    with opened_state(tmp_path) as state:
        assert state.sequence.following() >= before


def test_a_second_publisher_with_the_same_folder_is_refused_by_name(tmp_path: Path) -> None:
    holding = "import sys\nfrom pathlib import Path\nfrom streams.publish.state_folder import opened_state\n"
    holding += "with opened_state(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ConfigurationError) as refused, opened_state(tmp_path):
            pass
        other.kill()

    assert refused.value.setting == "--state-dir"
    assert f"process {other.pid} uses this one" in refused.value.expected
    with opened_state(tmp_path):  # its lock went with it
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match="a folder that can be written"), opened_state(tmp_path / "file"):
        pass
