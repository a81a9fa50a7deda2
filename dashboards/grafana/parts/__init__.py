"""The vocabulary that dashboards are written in. Needs Grafana's SDK; the JSON it comes to does not."""

from __future__ import annotations

import warnings

from models.errors import Unavailable

try:
    with warnings.catch_warnings():
        # The SDK would rather have dashboards in v2; what we write is v1, which every Grafana since 10 reads.
        warnings.simplefilter("ignore", DeprecationWarning)
        import grafana_foundation_sdk.models.dashboard
        import grafana_foundation_sdk.models.dashboardv2beta1  # noqa: F401
except ModuleNotFoundError as missing:
    raise Unavailable(
        "grafana-foundation-sdk",
        "dashboards are written with it, and it is not installed",
        "Install the extra: pip install 'fleettwin[grafana]'",
    ) from missing

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

__all__ = ["Dashboard", "encoded"]


def encoded(page: Dashboard) -> str:
    """The page's JSON: always the same bytes."""
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(page) + "\n"
