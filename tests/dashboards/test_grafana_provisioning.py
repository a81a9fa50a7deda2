"""Grafana's provisioning files: as their code has them, and as Grafana reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.alerting import WATCHES
from dashboards.grafana.linting import READABLE, relations_of
from dashboards.grafana.provisioning import PROVISIONING, VARIABLES, files
from dashboards.grafana.queries import committed, panels_of
from dashboards.grafana.source import DATA_SOURCE_TYPE, DATA_SOURCE_UID, FOLDER, PAGES

GUIDE = Path(__file__).parents[2] / "docs" / "grafana.md"
COMPOSE = Path(__file__).parents[2] / "infra" / "compose.yaml"


def provisioned(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROVISIONING / name).read_text(encoding="utf-8"))
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = provisioned("alerting/fleettwin.yaml")["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_what_is_committed_is_what_the_code_writes() -> None:
    written = {
        str(path.relative_to(PROVISIONING)): path.read_text(encoding="utf-8")
        for path in PROVISIONING.rglob("*")
        if path.is_file()
    }

    assert written == files(committed())


def test_the_data_source_is_the_one_that_dashboards_ask_for() -> None:
    (source,) = provisioned("datasources/fleettwin.yaml")["datasources"]

    assert (source["uid"], source["type"]) == (DATA_SOURCE_UID, DATA_SOURCE_TYPE)
    assert source["jsonData"]["timescaledb"] is True
    assert source["jsonData"]["database"] == "${GRAFANA_DATABASE_NAME}"
    assert source["secureJsonData"] == {"password": "${GRAFANA_DATABASE_PASSWORD}"}


def test_no_password_and_no_variable_that_nobody_documents_is_in_the_files() -> None:
    asked_for = set()
    for path in PROVISIONING.rglob("*.yaml"):
        asked_for |= set(re.findall(r"\$\{?(\w+)", path.read_text(encoding="utf-8")))

    assert asked_for == set(VARIABLES)


def test_the_containers_give_grafana_every_variable_and_every_folder() -> None:
    grafana = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])

    assert set(VARIABLES) <= set(grafana["environment"])
    for source in mounts:
        if source.startswith("."):
            assert (COMPOSE.parent / source).is_dir(), source
    assert mounts["../dashboards/provisioning"] == "/etc/grafana/provisioning"
    assert mounts["../dashboards/grafana/json"] == grafana["environment"]["GRAFANA_DASHBOARDS"]


def test_the_dashboards_come_from_a_folder_into_a_folder_that_nobody_edits() -> None:
    (provider,) = provisioned("dashboards/fleettwin.yaml")["providers"]

    assert (provider["type"], provider["folder"], provider["allowUiUpdates"]) == ("file", FOLDER, False)
    assert provider["options"]["path"] == "${GRAFANA_DASHBOARDS}"


RULE_KEYS = {"uid", "title", "condition", "data", "dashboardUid", "panelId", "noDataState", "execErrState", "for"}
RULE_KEYS |= {"annotations", "labels", "isPaused"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_a_rule_has_what_grafanas_file_format_asks_for(rule: dict[str, Any]) -> None:
    assert set(rule) == RULE_KEYS
    assert rule["condition"] in {query["refId"] for query in rule["data"]}
    assert rule["noDataState"] in {"OK", "Alerting", "NoData", "KeepLast"}
    assert rule["execErrState"] in {"OK", "Alerting", "Error", "KeepLast"}
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert len(rule["uid"]) <= 40
    assert all(isinstance(value, str) for value in (*rule["labels"].values(), *rule["annotations"].values()))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_grafanas_sdk_reads_a_rule_as_its_api_has_it(rule: dict[str, Any]) -> None:
    from grafana_foundation_sdk.cog import plugins
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.alerting import Rule

    import dashboards.grafana.parts  # noqa: F401  # keeps the SDK quiet

    plugins.register_default_plugins()

    read = yaml.safe_load(JSONEncoder().encode(Rule.from_json(rule)))

    for name in ("uid", "title", "condition", "noDataState", "execErrState", "for", "annotations", "labels"):
        assert read[name] == rule[name]
    assert [query["refId"] for query in read["data"]] == ["A", "B"]
    assert read["data"][0]["model"] == rule["data"][0]["model"]
    threshold = read["data"][1]["model"]
    assert (threshold["type"], threshold["expression"]) == ("threshold", "A")
    assert threshold["conditions"][0]["evaluator"] == rule["data"][1]["model"]["conditions"][0]["evaluator"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_a_rule_leads_to_a_panel_that_there_is(rule: dict[str, Any]) -> None:
    page = committed()[rule["dashboardUid"]]

    assert rule["panelId"] in {panel["id"] for panel in panels_of(page)}


@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.uid)
def test_the_sql_of_a_rule_reads_what_dashboards_may_and_has_no_dollar_signs(watch: Any) -> None:
    assert relations_of(watch.sql) <= READABLE
    assert "$" not in watch.sql + watch.summary + watch.way_out


def test_rules_have_names_of_their_own() -> None:
    assert len({watch.uid for watch in WATCHES}) == len({watch.title for watch in WATCHES}) == len(WATCHES)


def strings(value: Any) -> Iterator[str]:
    """All strings within."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def test_the_contact_point_is_a_template_that_grafana_does_not_read_by_itself() -> None:
    (template,) = PROVISIONING.glob("alerting/*.template")
    content = yaml.safe_load(template.read_text(encoding="utf-8"))

    assert not template.name.endswith((".yaml", ".yml", ".json"))
    (point,) = content["contactPoints"]
    assert {policy["receiver"] for policy in content["policies"]} == {point["name"]}
    assert "${FLEET_ALERT_WEBHOOK_URL}" in set(strings(content))


def test_the_page_for_people_names_every_dashboard_rule_and_variable() -> None:
    page = GUIDE.read_text(encoding="utf-8")

    missing = [name for name in (*VARIABLES, *(watch.title for watch in WATCHES)) if name not in page]
    assert missing == []
    assert [title for title in PAGES.values() if f"**{title}**" not in page] == []
