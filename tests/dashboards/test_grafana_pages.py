"""The committed dashboards: as their code has them, as Grafana's SDK reads them, and as the rules want them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins

from dashboards.grafana import building
from dashboards.grafana.linting import problems, relations_of
from dashboards.grafana.parts import Dashboard, encoded
from dashboards.grafana.parts.layout import row
from dashboards.grafana.parts.panels import stat_panel
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.queries import FOLDER, committed, panels_of
from dashboards.grafana.source import PAGES

Document = dict[str, Any]


def test_what_is_committed_is_what_the_code_writes() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}

    assert written == building.documents()


def test_every_page_is_there() -> None:
    assert committed().keys() == PAGES.keys()


def test_the_dashboards_keep_to_the_rules() -> None:
    assert problems(committed()) == []


@pytest.mark.parametrize("uid", PAGES)
def test_the_sdk_reads_what_it_wrote(uid: str) -> None:
    plugins.register_default_plugins()
    text = (FOLDER / f"{uid}.json").read_text(encoding="utf-8")

    again = json.loads(encoded(Dashboard.from_json(json.loads(text))))

    # the SDK puts each link into a menu, whatever it read
    assert _without_places(again) == json.loads(text)


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        is_link = "keepTime" in value
        return {name: _without_places(one) for name, one in value.items() if not (is_link and name == "placement")}
    return [_without_places(one) for one in value] if isinstance(value, list) else value


def first(document: Document, kind: str) -> Document:
    """The first panel of a kind."""
    return next(panel for panel in panels_of(document) if panel["type"] == kind)


def _sql(text: str) -> Callable[[Document], None]:
    return lambda document: first(document, "table")["targets"][0].update(rawSql=text)


BREAKS: dict[str, tuple[Callable[[Document], Any], str]] = {
    "no-unit": (lambda d: first(d, "timeseries")["fieldConfig"]["defaults"].pop("unit"), "no unit"),
    "no-description": (lambda d: first(d, "timeseries").update(description=""), "no description"),
    "no-legend": (lambda d: first(d, "timeseries")["options"]["legend"].update(showLegend=False), "no legend"),
    "same-number": (lambda d: d["panels"][1].update(id=1), "two with the same"),
    "same-title": (lambda d: d["panels"][1].update(title=d["panels"][2]["title"]), "two panels are called"),
    "overlap": (lambda d: d["panels"][1]["gridPos"].update(x=0), "overlap"),
    "too-wide": (lambda d: first(d, "timeseries")["gridPos"].update(w=25), "does not fit the grid"),
    "too-full": (lambda d: [p["gridPos"].update(y=0) for p in d["panels"]], "panels above the fold"),
    "local-time": (lambda d: d.update(timezone="browser"), "timezone"),
    "no-crosshair": (lambda d: d.pop("graphTooltip"), "graphTooltip"),
    "no-shortages": (lambda d: d["annotations"]["list"].clear(), "does not shade shortages"),
    "no-site": (lambda d: d["templating"]["list"].clear(), "no variable"),
    "no-age": (lambda d: [p.update(title="x") for p in d["panels"] if p["title"].startswith("Age")], "Age of the data"),
    "other-source": (lambda d: first(d, "stat")["targets"][0]["datasource"].update(uid="mine"), "data source"),
    "one-link-less": (lambda d: d["links"].pop(), "does not link to all others"),
    "link-to-nowhere": (lambda d: d["links"][0].update(url="/d/fleet-else"), "does not exist"),
    "link-outside": (lambda d: d["links"][0].update(url="https://example.org"), "none of our pages"),
    "link-forgets": (lambda d: d["links"][0].update(keepTime=False), "does not keep the time range"),
    "renamed-too-late": (
        lambda d: first(d, "timeseries")["fieldConfig"]["overrides"].append(
            {"matcher": {"id": "byFrameRefID", "options": "A"}, "properties": [{"id": "displayName", "value": "x"}]}
        ),
        "would keep the old names",
    ),
    "comment": (_sql("select site from sites_now -- all"), "a comment in SQL"),
    "nested": (_sql("select site from shortages where $__timeFilter(coalesce(a, b))"), "parentheses within a macro"),
    "piece": (_sql("select site from {flete}"), "a piece that nobody knows"),
    "raw": (_sql("select node from node_samples limit 1"), "reads node_samples"),
    "raw-join": (_sql("select a.site from sites_now a left join site_samples b on true"), "reads site_samples"),
    "all-times": (_sql("select time from node_1m where node = 'x'"), "of all times"),
    "all-nodes": (_sql("select time from node_history where $__timeFilter(time)"), "of all nodes"),
    "whatever": (_sql("select * from sites_now"), "selects whatever"),
}


@pytest.mark.parametrize(("break_", "said"), BREAKS.values(), ids=BREAKS)
def test_a_dashboard_that_breaks_a_rule_is_told(break_: Callable[[Document], Any], said: str) -> None:
    documents = deepcopy(dict(committed()))

    break_(documents["fleet-overview"])

    assert any(said in problem for problem in problems(documents)), problems(documents)


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        pytest.param("select extract(epoch from now() - time) from fleet_now", {"fleet_now"}, id="extract"),
        pytest.param("with own as (select 1 from a) select 1 from own join b using (x)", {"a", "b"}, id="with"),
        pytest.param("select 1 from a cross join lateral (select 1 from b offset 0) c", {"a", "b"}, id="lateral"),
        pytest.param("select 1 from f(1, 2), generate_series(1, 2)", {"f"}, id="function"),
        pytest.param("select 'from nowhere' from a", {"a"}, id="words"),
    ],
)
def test_what_sql_reads_is_found(text: str, reads: set[str]) -> None:
    assert relations_of(text) == reads


def test_widths_that_do_not_fill_the_row_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fill 24 columns"):
        row(4, *(stat_panel(title, "", "none", Sql("select 1")) for title in "ab"), widths=(12, 11))


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("grafana_foundation_sdk", "grafana_client"), None))
sys.argv = ["fleettwin", "dashboards", {command!r}]
from cli.main import run
run()
"""


@pytest.mark.parametrize(("command", "package"), [("build", "grafana-foundation-sdk"), ("push", "grafana-client")])
def test_what_needs_the_extra_says_how_to_install_it(command: str, package: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(command=command)], check=False, capture_output=True, text=True
    )

    assert ran.returncode == 1
    assert ran.stderr.startswith(f"fleettwin: {package}: ")
    assert "pip install 'fleettwin[grafana]'" in ran.stderr


def test_whoever_reads_the_json_does_without_the_extra() -> None:
    code = WITHOUT.format(command="check").replace("run()", "import cli.demo.command")

    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert (ran.returncode, ran.stderr) == (0, "")
