"""Every query of the committed dashboards, found in their JSON as Grafana would find it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).parent / "json"
"""Where the JSON is committed; Grafana's provisioning reads it there."""


class Use(StrEnum):
    """What a query is for, which says what its columns must be."""

    SERIES = "series"
    TABLE = "table"
    ANNOTATION = "annotation"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class Query:
    """One query.

    Args:
        page: The uid of its dashboard.
        where: The title of its panel, or the name of its annotation or variable; with its own, where it is not alone.
        use: What it is for.
        sql: As it stands in the JSON.
        shortest: The length of a bucket at the least.
    """

    page: str
    where: str
    use: Use
    sql: str
    shortest: timedelta = timedelta(0)

    @property
    def name(self) -> str:
        """For people: `fleet-overview: Sites`."""
        return f"{self.page}: {self.where}"


def committed(folder: Path = FOLDER) -> Mapping[str, dict[str, Any]]:
    """The dashboards' JSON by uid."""
    found = [orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    return {document["uid"]: document for document in found}


def queries_of(document: Mapping[str, Any]) -> Iterator[Query]:
    """Of variables, annotations and panels, in this order: that of a browser."""
    uid = document["uid"]
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            yield Query(uid, f"variable {variable['name']}", Use.VARIABLE, variable["query"])
    for annotation in document["annotations"]["list"]:
        yield Query(uid, f"annotation {annotation['name']}", Use.ANNOTATION, annotation["target"]["rawSql"])
    for panel in panels_of(document):
        targets = panel.get("targets", [])
        for target in targets:
            where = panel["title"] if len(targets) == 1 else f"{panel['title']}, query {target['refId']}"
            use = Use.SERIES if target["format"] == "time_series" else Use.TABLE
            yield Query(uid, where, use, target["rawSql"], _interval(panel.get("interval", "0s")))


def panels_of(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels, those within collapsed rows too; rows themselves are none."""
    for panel in document["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def all_queries(documents: Mapping[str, dict[str, Any]]) -> Sequence[Query]:
    """Of all dashboards."""
    return [query for document in documents.values() for query in queries_of(document)]


@cache
def _interval(text: str) -> timedelta:
    """The shortest bucket of a panel, such as `10s`."""
    return timedelta(seconds=int(text.removesuffix("s")))
