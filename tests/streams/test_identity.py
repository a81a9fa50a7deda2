"""What a worker is called towards Kafka tells its successors whether it lives, and never too early that it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streams.workers.identity import client_name, has_ended

ROOT = Path(__file__).parents[2]
NAMING = "from streams.workers.identity import client_name; print(client_name('twin'))"


def name_of_another() -> str:
    """The name of a worker that has ended by now."""
    said = subprocess.run([sys.executable, "-c", NAMING], cwd=ROOT, capture_output=True, text=True, check=True)
    return said.stdout.strip()


def test_a_worker_that_lives_has_not_ended() -> None:
    assert not has_ended(client_name("twin"))


def test_a_worker_that_has_ended_is_known_by_its_name() -> None:
    assert has_ended(name_of_another())


def test_a_later_process_with_the_same_id_is_another_one() -> None:
    worker, system, started = client_name("twin").split(" ")

    assert has_ended(f"{worker} {system} {int(started) - 1}")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("{worker}", id="says-no-more-than-a-name"),
        pytest.param("{worker} elsewhere {started}", id="of-another-system"),
        pytest.param("{worker} {system}", id="does-not-say-when-it-started"),
        pytest.param("{worker} {system} soon", id="started-at-no-time"),
        pytest.param("twin@host/self {system} {started}", id="no-process-id"),
        pytest.param("rdkafka", id="another-program"),
        pytest.param("", id="nameless"),
    ],
)
def test_of_others_nothing_is_known(name: str) -> None:
    worker, system, started = name_of_another().split(" ")

    assert not has_ended(name.format(worker=worker, system=system, started=started))
