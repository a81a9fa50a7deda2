"""What every dashboard, alert rule and push has in common: names by which Grafana knows our things."""

from __future__ import annotations

DATA_SOURCE_NAME = "fleettwin"
DATA_SOURCE_TYPE = "grafana-postgresql-datasource"
DATA_SOURCE_UID = "fleet-timescaledb"
"""The same in every installation, so that dashboards find the data source whatever it is called."""
FOLDER = "Fleet twin"
FOLDER_UID = "fleet-twin"
TAG = "fleet-twin"
AGE = "Age of the data"
"""The title of the panel that every page has."""

PAGES = {
    "fleet-overview": "Fleet overview",
    "fleet-site": "Site",
    "fleet-node": "Node",
    "fleet-shortages": "Shortages",
    "fleet-pipeline": "Pipeline",
}
"""The dashboards by uid, from the general to the specific: the links at the top of each are in this order."""
