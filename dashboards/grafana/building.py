"""The dashboards' JSON and Grafana's provisioning files, from their code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from dashboards.grafana.pages.fleet_node import fleet_node
from dashboards.grafana.pages.fleet_overview import fleet_overview
from dashboards.grafana.pages.fleet_pipeline import fleet_pipeline
from dashboards.grafana.pages.fleet_shortages import fleet_shortages
from dashboards.grafana.pages.fleet_site import fleet_site
from dashboards.grafana.parts import Dashboard, encoded
from dashboards.grafana.provisioning import PROVISIONING, files
from dashboards.grafana.queries import FOLDER


def pages() -> list[Dashboard]:
    """All pages, in the order of their links."""
    return [fleet_overview(), fleet_site(), fleet_node(), fleet_shortages(), fleet_pipeline()]


def documents() -> Mapping[str, str]:
    """By the name of the file, the JSON of each page: always the same bytes."""
    return {f"{page.uid}.json": encoded(page) for page in pages()}


def write(folder: Path = FOLDER, provisioning: Path = PROVISIONING) -> list[Path]:
    """Write what has changed, and remove what is no page any more; returns the files that differ from before."""
    written = documents()
    pages_by_uid = {name.removesuffix(".json"): json.loads(text) for name, text in written.items()}
    texts = {folder / name: text for name, text in written.items()}
    texts |= {provisioning / name: text for name, text in files(pages_by_uid).items()}
    changed = []
    for path, text in texts.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    for path in sorted(folder.glob("*.json")):
        if path not in texts:
            path.unlink()
            changed.append(path)
    return changed
