"""What every dashboard must keep to, seen in its JSON: layout, numbers, units, links, words, and what SQL may read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from dashboards.grafana.queries import Query, panels_of, queries_of
from dashboards.grafana.source import AGE, DATA_SOURCE_TYPE, DATA_SOURCE_UID, PAGES, TAG

FOLD = 30
"""Grid rows that a screen shows at once."""
MOST_ABOVE_FOLD = 12
WIDTH = 24

BY_TIME = frozenset({"node_history", "node_1m", "node_1h"})
"""Relations that grow with time and nodes: a query of them must say which times."""
READABLE = frozenset(
    {
        *("fleet_series", "site_series", "fleet_pool_series", "site_pool_series", "tenant_series", "node_series"),
        *("fleet_now", "sites_now", "fleet_pools_now", "site_pools_now", "racks_now", "nodes_now", "shortages_now"),
        *("tenants_now", "shortages", "shortage_events"),
        *("pipeline_flows", "pipeline_delays", "pipeline_workers", "dead_letters"),
        *BY_TIME,
    }
)
"""What dashboards may read: the store answers for the speed of these."""
_SETS = frozenset({"generate_series", "unnest", "lateral", "jsonb_array_elements", "jsonb_to_recordset"})

_LINK = re.compile(r"^/d/([a-z-]+)(?:\?(.*))?$")
_FROM = re.compile(r"\b(?:from|join)\s+(lateral\s+)?([a-z_0-9]+|\()", re.IGNORECASE)
_WITHIN = re.compile(r"\b(?:extract|trim|substring|overlay)\s*\([^()]*\bfrom\b", re.IGNORECASE)
_WITH = re.compile(
    r"(?:\bwith|,)\s+(?:recursive\s+)?([a-z_0-9]+)(?:\s*\([^()]*\))?\s+as\s+(?:materialized\s+)?\(", re.I
)
_MACRO = re.compile(r"\$__\w+\(([^)]*)\)")


def problems(documents: Mapping[str, dict[str, Any]]) -> list[str]:
    """What is wrong with the dashboards, each with the name of where; empty where nothing is."""
    found = [f"{uid}: there is no such dashboard, and others link to it" for uid in PAGES.keys() - documents.keys()]
    found += [f"{uid}: not among the pages that have a title and links" for uid in documents.keys() - PAGES.keys()]
    for uid, document in documents.items():
        panels = list(panels_of(document))
        for problem in (
            *_page(document),
            *_layout(document["panels"]),
            *(f"{panel['title']}: {what}" for panel in panels for what in _panel(panel)),
            *(f"link {link['title']}: {what}" for link in _links(document) for what in _link(link)),
            *(f"{query.where}: {what}" for query in queries_of(document) for what in _sql(query)),
        ):
            found.append(f"{uid}: {problem}")
    return found


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    expected = {"timezone": "utc", "refresh": "10s", "graphTooltip": 1, "tags": [TAG]}
    for name, value in expected.items():
        if document.get(name) != value:
            yield f"{name} is {document.get(name)!r}, not {value!r}"
    if document["title"] != PAGES.get(document["uid"]) or not document.get("description"):
        yield "its title is another, or it has no description"
    if [panel["title"] for panel in panels_of(document)].count(AGE) != 1:
        yield f"it has not exactly one panel {AGE!r}"
    if [annotation["name"] for annotation in document["annotations"]["list"]] != ["Shortages"]:
        yield "it does not shade shortages"
    if "site" not in [variable["name"] for variable in document["templating"]["list"]]:
        yield "it has no variable `site`"
    if {link["url"] for link in document["links"]} != {f"/d/{uid}" for uid in PAGES if uid != document["uid"]}:
        yield "it does not link to all others"
    for place in (*document["templating"]["list"], *document["annotations"]["list"], *_targets(document)):
        if place["datasource"] != {"type": DATA_SOURCE_TYPE, "uid": DATA_SOURCE_UID}:
            yield f"the data source of {place.get('name', place.get('refId'))} is another"


def _layout(panels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    numbers = Counter(panel.get("id") for panel in panels)
    if None in numbers or max(numbers.values(), default=0) > 1:
        yield "panels without a number, or two with the same"
    titles = Counter(panel["title"] for panel in panels)
    yield from (f"two panels are called {title!r}" for title, count in titles.items() if count > 1)
    for panel in panels:
        place = panel["gridPos"]
        if not (place["x"] >= 0 and place["w"] >= 1 and place["h"] >= 1 and place["x"] + place["w"] <= WIDTH):
            yield f"{panel['title']} does not fit the grid"
    for one, other in combinations(panels, 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"{one['title']} and {other['title']} overlap"
    above = [panel for panel in panels if panel["type"] != "row" and panel["gridPos"]["y"] < FOLD]
    if len(above) > MOST_ABOVE_FOLD:
        yield f"{len(above)} panels above the fold, more than {MOST_ABOVE_FOLD}"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (beside or above)


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    if len(panel.get("description", "")) < 20 or not panel.get("title"):
        yield "no title, or no description that says something"
    if panel["type"] == "text":
        return
    if not panel.get("targets"):
        yield "no query"
    references = [target["refId"] for target in panel.get("targets", [])]
    if len(set(references)) < len(references):
        yield "two queries have the same letter"
    defaults = panel["fieldConfig"]["defaults"]
    if not defaults.get("unit"):
        yield "no unit"
    if panel["type"] == "stat" and panel["options"]["reduceOptions"]["calcs"] != ["lastNotNull"]:
        yield "the figure is not the last value"
    if panel["type"] == "timeseries" and not panel["options"]["legend"]["showLegend"]:
        yield "no legend"
    if _renamed_too_late(panel["fieldConfig"]["overrides"]):
        yield "an override by name stands before one that names: Grafana would keep the old names"
    wanted = {"timeseries": {"time_series"}, "state-timeline": {"time_series"}, "heatmap": {"time_series"}}
    wanted |= {"table": {"table"}, "bargauge": {"table"}}
    formats = {target["format"] for target in panel.get("targets", [])}
    if not formats <= wanted.get(panel["type"], {"table", "time_series"}):
        yield f"its queries give {', '.join(formats)}"


def _renamed_too_late(overrides: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a name is looked at, and so remembered, before an override that changes it."""
    looked_at = [rule["matcher"]["id"] in ("byName", "byRegexp") for rule in overrides]
    renames = [any(one["id"] == "displayName" for one in rule["properties"]) for rule in overrides]
    return any(renamed and any(looked_at[:index]) for index, renamed in enumerate(renames))


def _link(link: Mapping[str, Any]) -> Iterator[str]:
    found = _LINK.match(link.get("url") or "")
    if found is None:
        yield f"leads to {link.get('url')!r}, which is none of our pages"
        return
    if found[1] not in PAGES:
        yield f"leads to {found[1]}, which does not exist"
    keeps_by_flag = link["keepTime"] and link["includeVars"]
    said = found[2] or ""
    keeps_by_address = "${__url_time_range}" in said and ("var-site=" in said or "${site:queryparam}" in said)
    if not (keeps_by_flag or keeps_by_address):
        yield "does not keep the time range and what is chosen"
    if re.search(r"\$\{__(?:data|field)[^}:]*\}", said):
        yield "puts a name into an address without encoding it"


def _links(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from document["links"]
    for panel in panels_of(document):
        yield from panel.get("links") or []
        config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        yield from config["defaults"].get("links") or []
        for override in config["overrides"]:
            for one in override["properties"]:
                if one["id"] == "links":
                    yield from one["value"]


def _targets(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for panel in panels_of(document):
        yield from panel.get("targets", [])


def _sql(query: Query) -> Iterator[str]:
    text = query.sql
    if "--" in text or "/*" in text:
        yield "a comment in SQL: some versions of Grafana cut it off before they expand macros, others after"
    if any("(" in arguments for arguments in _MACRO.findall(text)):
        yield "parentheses within a macro: it would end at the first that closes"
    if re.search(r"\{[a-z ]+\}", re.sub(r"\$\{\w+(:\w+)?\}", "", text)):
        yield "a piece that nobody knows"
    reads = relations_of(text)
    unknown = reads - READABLE
    if unknown:
        yield f"reads {', '.join(sorted(unknown))}, which is not for dashboards"
    if reads & BY_TIME and not ("$__timeFilter(" in text or ("$__timeFrom(" in text and "$__timeTo(" in text)):
        yield f"reads {', '.join(sorted(reads & BY_TIME))} of all times"
    if "node_history" in reads and not ("$node" in text and "$__timeFilter(" in text):
        yield "reads node_history of all nodes"
    if re.search(r"select\s+\*", text, re.IGNORECASE):
        yield "selects whatever there is"


def relations_of(text: str) -> set[str]:
    """The tables, views and functions that SQL reads from; not what it defines itself."""
    plain = _WITHIN.sub("(", re.sub(r"'[^']*'", "''", text))
    own = {name.lower() for name in _WITH.findall(plain)}
    named = {name.lower() for _, name in _FROM.findall(plain)}
    return named - own - _SETS - {"("}
