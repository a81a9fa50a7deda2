"""Files from which a Grafana sets itself up: our data source, dashboards and alert rules, for its provisioning folder.

Grafana puts environment variables in the place of `${NAME}` when it starts. One whose value is `$__file{/path}` stands
for what is in that file, so that a password need not be in the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dashboards.grafana.alerting import rules_file
from dashboards.grafana.queries import panels_of
from dashboards.grafana.source import DATA_SOURCE_NAME, DATA_SOURCE_TYPE, DATA_SOURCE_UID, FOLDER, FOLDER_UID

PROVISIONING = Path(__file__).parents[1] / "provisioning"
"""The folder to give to Grafana: `GF_PATHS_PROVISIONING`, or mounted at /etc/grafana/provisioning."""

VARIABLES: Mapping[str, str] = {
    "GRAFANA_DATABASE_ADDRESS": "host:port of TimescaleDB, as Grafana reaches it",
    "GRAFANA_DATABASE_NAME": "the database",
    "GRAFANA_DATABASE_USER": "a login of the reader role",
    "GRAFANA_DATABASE_PASSWORD": "its password, or $__file{/path/of/a/file} that holds it; without dollar signs",
    "GRAFANA_DATABASE_SSLMODE": "require, verify-full, or disable where nobody else can listen",
    "GRAFANA_DASHBOARDS": "the folder of the dashboards' JSON, as Grafana sees it",
}
"""What Grafana must be told in its environment."""

CONTACT_VARIABLE = "FLEET_ALERT_WEBHOOK_URL"


def data_source_settings() -> dict[str, Any]:
    """What is the same for our data source wherever it is; the database is asked for by name, on purpose."""
    return {"postgresVersion": 1500, "timescaledb": True, "maxOpenConns": 20, "maxIdleConns": 5, "timeInterval": "1s"}


def files(documents: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
    """By their paths in the provisioning folder, the text of each file: always the same bytes.

    Args:
        documents: The dashboards' JSON by uid, for the numbers of panels that rules lead to.
    """
    panels = {
        (uid, panel["title"]): panel["id"] for uid, document in documents.items() for panel in panels_of(document)
    }
    return {
        "datasources/fleettwin.yaml": _yaml(_HEAD, _data_source()),
        "dashboards/fleettwin.yaml": _yaml(_HEAD, _provider()),
        "alerting/fleettwin.yaml": _yaml(_HEAD, rules_file(panels)),
        "alerting/contact-point.yaml.template": _yaml(_CONTACT_HEAD, _contact_point()),
    }


_HEAD = "# Written by `fleettwin dashboards build`; change the code, not this file.\n"
_CONTACT_HEAD = (
    _HEAD
    + "# Where alerts go. To use it, copy it beside this file as contact-point.yaml and set FLEET_ALERT_WEBHOOK_URL\n"
    "# for Grafana. It replaces Grafana's tree of notification policies: where there is one, add a route by hand.\n"
)


def _data_source() -> dict[str, Any]:
    source = {
        "name": DATA_SOURCE_NAME,
        "uid": DATA_SOURCE_UID,
        "type": DATA_SOURCE_TYPE,
        "access": "proxy",
        "url": "${GRAFANA_DATABASE_ADDRESS}",
        "user": "${GRAFANA_DATABASE_USER}",
        "editable": False,
        "jsonData": {
            "database": "${GRAFANA_DATABASE_NAME}",
            "sslmode": "${GRAFANA_DATABASE_SSLMODE}",
            **data_source_settings(),
        },
        "secureJsonData": {"password": "${GRAFANA_DATABASE_PASSWORD}"},
    }
    return {"apiVersion": 1, "datasources": [source]}


def _provider() -> dict[str, Any]:
    provider = {
        "name": "fleettwin",
        "orgId": 1,
        "type": "file",
        "folder": FOLDER,
        "folderUid": FOLDER_UID,
        "disableDeletion": True,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": "${GRAFANA_DASHBOARDS}", "foldersFromFilesStructure": False},
    }
    return {"apiVersion": 1, "providers": [provider]}


def _contact_point() -> dict[str, Any]:
    receiver = {
        "uid": "fleet-webhook",
        "type": "webhook",
        "settings": {"url": "${" + CONTACT_VARIABLE + "}", "httpMethod": "POST"},
    }
    route = {
        "receiver": "fleet",
        "object_matchers": [["source", "=", "fleettwin"]],
        "group_by": ["alertname", "scope", "name", "site"],
        "repeat_interval": "4h",
    }
    return {
        "apiVersion": 1,
        "contactPoints": [{"orgId": 1, "name": "fleet", "receivers": [receiver]}],
        "policies": [{"orgId": 1, "receiver": "fleet", "group_by": ["alertname"], "routes": [route]}],
    }


def _yaml(head: str, content: Mapping[str, Any]) -> str:
    return head + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=120)
