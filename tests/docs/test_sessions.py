"""Every command of the README and of the pages under docs/ is run by a test, or is marked as needing containers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from tests.docs.sessions import ROOT, Command, commands_of, run_session
from tests.live.world import outside_environment
from tests.servers import CACHE

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])

ELSEWHERE = {
    "make demo": "tests/live/test_demo.py",
    "make demo ": "tests/live/test_demo.py",
    "make test": "tests",
    ".venv/bin/fleettwin traces list": "tests/cli/test_traces.py",
    ".venv/bin/fleettwin traces download": "tests/cli/test_traces.py",
    ".venv/bin/fleettwin traces convert mlperf": "tests/streams/test_traces_mlperf.py",
    ".venv/bin/fleettwin traces convert helios": "tests/streams/test_traces_helios.py",
    ".venv/bin/fleettwin traces convert alibaba": "tests/streams/test_traces_alibaba.py",
    "FLEETTWIN_TWIN__CATALOGUE=openb.log.catalogue.yaml": "tests/streams/test_traces_alibaba.py",
    ".venv/bin/fleettwin replay gpt3.log": "tests/live/test_mlperf.py",
    ".venv/bin/fleettwin replay incident.log": "tests/live/test_replay_isolated.py",
    "printf": "tests/live/test_replay_isolated.py",
    ".venv/bin/fleettwin alerts forward --to http://localhost:9093": "tests/live/test_alerts_alertmanager.py",
    ".venv/bin/fleettwin alerts forward --form pagerduty": "tests/live/test_alerts_forward.py",
    ".venv/bin/fleettwin topics acls": "tests/security/test_rights.py",
    ".venv/bin/fleettwin dlq list --since 2h": "tests/live/test_dlq.py",
    ".venv/bin/fleettwin dlq show": "tests/live/test_dlq.py",
    ".venv/bin/fleettwin dlq replay": "tests/live/test_dlq.py",
    ".venv/bin/fleettwin publish --config publish.yaml": "tests/live/test_publish.py",
    ".venv/bin/fleettwin dashboards push": "tests/dashboards/test_grafana_pushing.py",
    ".venv/bin/fleettwin dashboards build": "tests/dashboards/test_grafana_pages.py",
}
"""What commands begin with that another test runs, and which."""

RUN_HERE = {
    "README.md",
    "docs/alerts.md",
    "docs/grafana.md",
    "docs/log-format.md",
    "docs/nodes.md",
    "docs/publishing.md",
    "docs/replay.md",
}
"""Pages whose other commands are typed, from the first to the last, into a shell of this module."""


def elsewhere(command: Command) -> str | None:
    """The test that runs it, if it is not run here."""
    for beginning, test in ELSEWHERE.items():
        if command.text == beginning or command.text.startswith(beginning.rstrip() + " "):
            return test
    return None


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A folder that looks like the checkout after `make setup`, whose stack is down again at the end."""
    for name in (".venv", "docs", "scenarios"):
        (tmp_path / name).symlink_to(ROOT / name, target_is_directory=True)
    (tmp_path / ".fleettwin").mkdir()
    (tmp_path / ".fleettwin" / "cache").symlink_to(CACHE, target_is_directory=True)
    yield tmp_path
    subprocess.run([".venv/bin/fleettwin", "stack", "down"], cwd=tmp_path, env=outside_environment(), check=True)


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_every_command_has_somebody_who_runs_it(page: Path) -> None:
    alone = [
        f"{page.name}:{command.line}: {command.text}"
        for command in commands_of(page)
        if not command.containers and elsewhere(command) is None and str(page.relative_to(ROOT)) not in RUN_HERE
    ]

    assert alone == []


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_whoever_runs_it_is_there(test: str) -> None:
    assert (ROOT / test).exists()


@pytest.mark.parametrize("name", sorted(RUN_HERE))
def test_the_page_can_be_typed_from_top_to_bottom(name: str, checkout: Path, stack: RunningStack) -> None:
    typed = [one for one in commands_of(ROOT / name) if not one.containers and elsewhere(one) is None]
    assert typed

    said = run_session(typed, checkout, outside_environment(), seconds=600)

    assert "Traceback" not in said
