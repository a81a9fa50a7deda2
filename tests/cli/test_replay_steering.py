"""Who steers a replay: keys and lines become commands, and the terminal is afterwards as it was."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from cli.replay.keys import KeyDesk, is_ours, keys_at_once
from cli.replay.lines import LineDesk, command_of
from cli.replay.status import in_words
from models.errors import ConfigurationError
from streams.logs.playback import Command, Faster, Go, Pause, Quit, Slower, Speed, Status, Step, Toggle

ROOT = Path(__file__).parents[2]

PAUSED = Status(log_time=1_767_225_605_000, speed=None, paused=True, stepping=False, behind_seconds=0)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: whoever types, and whoever reads."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Who writes, and who reads."""
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb"), os.fdopen(writes, "wb", buffering=0) as writer:
        yield writer.fileno(), reads


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        pytest.param(b" ", Toggle(), id="space"),
        pytest.param(b"s", Step(), id="s"),
        pytest.param(b"\x1b[C", Step(), id="right"),
        pytest.param(b"\x1bOC", Step(), id="right-in-the-other-mode"),
        pytest.param(b"+", Faster(), id="plus"),
        pytest.param(b"=", Faster(), id="plus-without-shift"),
        pytest.param(b"-", Slower(), id="minus"),
        pytest.param(b"q", Quit(), id="q"),
        pytest.param(b"xyz\x1b[A q", Toggle(), id="keys-that-mean-nothing-are-passed-over"),
    ],
)
def test_a_key_is_a_command(terminal: tuple[int, int], typed: bytes, command: Command) -> None:
    keyboard, tty = terminal
    with keys_at_once(tty):
        os.write(keyboard, typed)

        assert KeyDesk(tty, Event()).look(10, stepping=False) == command


def test_keys_that_were_typed_ahead_are_commands_one_after_the_other(terminal: tuple[int, int]) -> None:
    keyboard, tty = terminal
    with keys_at_once(tty):
        desk = KeyDesk(tty, Event())
        os.write(keyboard, b" s+")

        assert [desk.look(10, stepping=False) for _ in range(3)] == [Toggle(), Step(), Faster()]
        assert desk.look(0, stepping=False) is None


def test_ctrl_c_ends_a_pause(terminal: tuple[int, int], pipe: tuple[int, int]) -> None:
    stop = Event()
    stop.set()

    assert KeyDesk(terminal[1], stop).look(None, stepping=False) == Quit()
    assert LineDesk(pipe[1], stop, print).look(None, stepping=True) == Quit()


def modes(tty: int) -> list[Any]:
    return termios.tcgetattr(tty)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_terminal_is_as_it_was_whatever_happens(terminal: tuple[int, int], error: type[BaseException]) -> None:
    tty = terminal[1]
    before = modes(tty)

    def fail() -> None:
        with keys_at_once(tty):
            assert not modes(tty)[3] & (termios.ICANON | termios.ECHO)
            assert modes(tty)[3] & termios.ISIG
            raise error

    with pytest.raises(error):
        fail()

    assert modes(tty) == before


def test_a_terminal_of_another_session_is_not_ours(terminal: tuple[int, int]) -> None:
    assert not is_ours(terminal[1])


def test_what_is_no_terminal_is_not_ours(pipe: tuple[int, int]) -> None:
    assert not is_ours(pipe[1])


@pytest.mark.parametrize(
    ("line", "command"),
    [
        pytest.param("", Step(), id="enter"),
        pytest.param("step", Step(), id="step"),
        pytest.param("step 10", Step(10), id="ten-steps"),
        pytest.param("go", Go(), id="go"),
        pytest.param("pause", Pause(), id="pause"),
        pytest.param("speed 0.5", Speed(0.5), id="speed"),
        pytest.param("speed max", Speed(None), id="as-fast-as-it-goes"),
        pytest.param("quit", Quit(), id="quit"),
    ],
)
def test_a_line_is_a_command(line: str, command: Command) -> None:
    assert command_of(line) == command


@pytest.mark.parametrize("line", ["stop", "step 0", "step -1", "step x", "speed", "speed 0", "speed fast", "go on"])
def test_a_line_that_is_none_is_refused_with_what_there_is(line: str) -> None:
    with pytest.raises(ConfigurationError):
        command_of(line)


def test_lines_are_followed_one_after_the_other_and_wait_for_a_step(pipe: tuple[int, int]) -> None:
    os.write(pipe[0], b"step 2\nspeed 4\ngo\n")
    desk = LineDesk(pipe[1], Event(), print)

    assert desk.look(0, stepping=False) == Step(2)
    assert desk.look(0, stepping=True) is None
    assert [desk.look(0, stepping=False) for _ in range(3)] == [Speed(4.0), Go(), None]


def test_a_wrong_line_is_told_and_the_next_one_followed(pipe: tuple[int, int]) -> None:
    said: list[str] = []
    os.write(pipe[0], b"jump\ngo\n")

    assert LineDesk(pipe[1], Event(), said.append).look(0, stepping=False) == Go()
    assert said == ["the line is 'jump'; expected an empty line or step [SECONDS], go, pause, speed X|max, or quit"]


def test_after_the_last_line_a_pause_ends_and_what_plays_plays_on(tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(b"step\ngo")
    with (tmp_path / "script").open("rb") as script:
        desk = LineDesk(script.fileno(), Event(), print)

        assert [desk.look(None, stepping=False) for _ in range(2)] == [Step(), Go()]
        assert desk.look(0, stepping=False) is None
        assert desk.look(None, stepping=False) == Quit()


def test_each_pause_is_told_once(pipe: tuple[int, int]) -> None:
    said: list[str] = []
    desk = LineDesk(pipe[1], Event(), said.append)
    for status, sent in ((PAUSED, 7), (PAUSED, 7), (PAUSED, 9)):
        desk.show(status, sent)

    assert said == ["2026-01-01T00:00:05.000Z  paused, 7 sent", "2026-01-01T00:00:05.000Z  paused, 9 sent"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(Status(None, 1.0, False, False, 0), "-  x1, 5 sent", id="nothing-known"),
        pytest.param(
            Status(0, None, False, False, 0), "1970-01-01T00:00:00.000Z  as fast as it goes, 5 sent", id="max"
        ),
        pytest.param(
            Status(0, 0.5, False, False, 2), "1970-01-01T00:00:00.000Z  x0.5, 5 sent, 2.0 s behind", id="late"
        ),
    ],
)
def test_the_status_is_told_in_a_line(status: Status, words: str) -> None:
    assert in_words(status, 5) == words


INTERRUPTED = """
import os, sys
from cli.replay.keys import KeyDesk, is_ours, keys_at_once
from cli.signals import stop_wished
assert is_ours(0)
with stop_wished() as wished, keys_at_once(0):
    desk = KeyDesk(0, wished)
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    while (command := desk.look(None, stepping=False)) is None:
        pass
    assert wished.is_set(), command
    sys.exit(130)
"""
"""A program with a terminal of its own, as a shell would start it, that is ended by Ctrl-C."""


def test_ctrl_c_on_the_terminal_ends_it_and_leaves_the_terminal_as_it_was(terminal: tuple[int, int]) -> None:
    keyboard, tty = terminal
    before = modes(tty)
    starter = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); exec(sys.argv[1])"
    child = subprocess.Popen(
        [sys.executable, "-c", starter, INTERRUPTED],
        stdin=tty,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    assert child.stdout is not None
    with child, child.stdout as said:
        assert said.readline() == b"ready\n"
        assert modes(tty) != before
        os.write(keyboard, b"\x03")

        assert child.wait(30) == 130
    assert modes(tty) == before
