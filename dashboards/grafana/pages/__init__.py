"""The dashboards, one a module: each is a function that gives the page."""

import dashboards.grafana.parts  # noqa: F401  # says what to install where the SDK is missing, and keeps it quiet
