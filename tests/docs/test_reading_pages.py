"""How the commands of a page are found and run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs.sessions import Command, commands_of, run_session

PAGE = """\
```console
$ first --option   # what it does
its output
$ second \\
    --more
```

```json
$ not a command
```

```console containers
$ docker run it
```

```console
$ third   # Ctrl-C ends it
```
"""


def command(text: str, comment: str = "") -> Command:
    return Command(text, comment, line=1, containers=False)


def test_commands_stand_in_console_blocks_behind_a_dollar(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)

    found = commands_of(page)

    assert [one.text for one in found] == ["first --option", "second     --more", "docker run it", "third"]
    assert [one.line for one in found] == [2, 4, 13, 17]
    assert [one.containers for one in found] == [False, False, True, False]
    assert [one.goes_on for one in found] == [False, False, False, True]


def test_a_command_that_fails_ends_the_session_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="line 1 failed: false"):
        run_session([command("true"), command("false"), command("echo never")], tmp_path, os.environ, seconds=30)


def test_what_goes_on_is_ended_once_it_has_spoken(tmp_path: Path) -> None:
    said = run_session([command("bash -c 'echo hello; sleep 60'", "Ctrl-C ends it")], tmp_path, os.environ, seconds=30)

    assert "hello" in said


def test_what_goes_on_may_not_fail_by_itself(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="failed"):
        run_session([command("bash -c 'exit 3'", "Ctrl-C ends it")], tmp_path, os.environ, seconds=30)


def test_a_failed_session_leaves_nobody_behind(tmp_path: Path) -> None:
    began = command("bash -c 'echo $$ > left.pid; exec sleep 600' &")
    awaited = command("until [ -s left.pid ]; do sleep 0.1; done")

    with pytest.raises(AssertionError, match="failed: false"):
        run_session([began, awaited, command("false")], tmp_path, os.environ, seconds=30)

    left = int((tmp_path / "left.pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(left, 0)
