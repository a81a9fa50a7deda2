"""What the demo's screen shows: the watched fleet, how fresh it is, and where to look further."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.demo.looking import RowLook
from cli.demo.servers import DemoServers
from cli.demo.watch import Watching
from cli.demo.workers import Workers
from dashboards.terminal import Screen
from infra.timescale.inspection import Delays
from models.scenario import Scenario
from streams.consumers.watching import Percentiles

RECENT = 300
"""Site states over which the screen's delay is taken."""


@dataclass(frozen=True, slots=True)
class Run:
    """A demo at work: what it runs on, who works in it, and what is seen of it."""

    servers: DemoServers
    workers: Workers
    watch: Watching
    scenario: Scenario
    rows: RowLook

    def look(self) -> None:
        """Take in what has come, and see to the workers.

        Raises:
            Unavailable: one of them keeps failing.
        """
        self.watch.look()
        self.workers.see_to_all()


def screen_of(run: Run, rows: Delays) -> Screen:
    """What is shown now; `rows` are the delays of the rows, which are looked at less often."""
    seen, servers, workers = run.watch.fleet, run.servers, run.workers
    state = seen.fleet
    counts = None if state is None else state.intake
    restarts = sum(worker.restarts for worker in (workers.twin, workers.store))
    return Screen(
        title=run.scenario.title,
        phase="live, Ctrl-C ends it" if state else "workers are starting",
        now=datetime.now(UTC),
        fleet=state,
        sites=list(seen.sites.values()),
        shortages=seen.open_shortages,
        opened=seen.opened,
        resolved=seen.resolved,
        figures=[
            ("readings", "-" if counts is None else f"{counts.observed:,} taken in, {seen.rate:,.0f}/s"),
            (
                "not taken",
                "-"
                if counts is None
                else f"{counts.refused:,} refused, {counts.duplicate:,} duplicate, "
                f"{counts.superseded:,} superseded, {counts.late:,} late",
            ),
            ("tick to state in Kafka", _seconds(seen.delays(RECENT))),
            ("tick to database row", _seconds(rows)),
            ("worker restarts", str(restarts)),
        ],
        places=[
            *([] if servers.console is None else [("console", servers.console.told)]),
            ("Kafka", f"{servers.kafka}   topics fleet.*, `fleettwin alerts --follow` reads the shortages"),
            ("TimescaleDB", f"{servers.database}   `fleettwin stack status --json` has the URL with its password"),
            ("Grafana", "none on the PATH, see docs/grafana.md" if servers.grafana is None else servers.grafana.told),
            ("logs", near(servers.logs)),
        ],
    )


def near(path: Path) -> str:
    """The path as seen from where the user stands."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _seconds(delay: Percentiles | Delays) -> str:
    if delay.p50 is None or delay.p99 is None:
        return "-"
    return f"p50 {delay.p50:.2f} s, p99 {delay.p99:.2f} s"
