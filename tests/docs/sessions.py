"""The shell sessions of a page: what its console blocks tell the reader to type, and running it as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

CONTAINERS = "containers"
"""Stands behind `console` on the fence of a block that needs them."""

ENDED_BY_HAND = "Ctrl-C ends it"
"""Stands in the comment behind a command that goes on until then."""

_FENCE = re.compile(r"^```(.*)$")

_PRELUDE = """
set -m
trap 'for pid in $(jobs -p); do kill -TERM -$pid 2> /dev/null; done; wait' EXIT  # a failed session leaves nobody behind
until_it_speaks() {  # run a command until its first line, then end it as Ctrl-C would
  local said; said=$(mktemp)
  "$@" > "$said" & local pid=$!
  while ! [ -s "$said" ]; do kill -0 $pid || { wait $pid; return; }; sleep 0.1; done
  cat "$said"; kill -INT -$pid; wait $pid; local code=$?
  ((code == 0 || code == 130))
}
"""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a page."""

    text: str
    """Without the comment behind it."""
    comment: str
    line: int
    containers: bool

    @property
    def goes_on(self) -> bool:
        """Whether it is the reader who ends it."""
        return ENDED_BY_HAND in self.comment


def commands_of(page: Path) -> list[Command]:
    """Every `$ command` of the page's console blocks, in order; lines that end in a backslash go on in the next."""
    found: list[Command] = []
    info, text, begun = None, "", 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if fence:
            info = fence.group(1).split() if info is None else None
        elif info and info[0] == "console" and (text or line.startswith("$ ")):
            begun = begun if text else number
            text += line if text else line.removeprefix("$ ")
            if text.endswith("\\"):
                text = text[:-1]
                continue
            command, comment = _parted(text)
            found.append(Command(command, comment, begun, CONTAINERS in info))
            text = ""
    return found


def _parted(text: str) -> tuple[str, str]:
    """The command, and the comment behind it."""
    comment = re.search(r"\s+#\s(.*)$", text)
    return (text[: comment.start()], comment.group(1)) if comment else (text, "")


def run_session(commands: list[Command], folder: Path, environment: Mapping[str, str], seconds: float) -> str:
    """Type the commands into one shell and give what it said.

    Raises:
        AssertionError: a command failed; with its line and all that was said.
    """
    script = [_PRELUDE]
    for command in commands:
        typed = f"until_it_speaks {command.text}" if command.goes_on else command.text
        failed = f"echo {shlex.quote(f'line {command.line} failed: {command.text}')}; exit 1"
        script += [
            f"echo {shlex.quote('$ ' + command.text)}",
            typed if typed.endswith("&") else f"{typed} || {{ {failed}; }}",
        ]
    shell = subprocess.run(
        # where the tests run in the background, Ctrl-C is ignored by all that a shell starts, unless it is told not to
        ["env", "--default-signal=INT", "bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert shell.returncode == 0, shell.stdout
    return shell.stdout
