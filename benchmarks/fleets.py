"""Simulated fleets of any size for measurements: sites that are alike, without demand or faults."""

from __future__ import annotations

from pathlib import Path

import orjson

from models.scenario import Pool, Scenario, Site

TYPE = "h100-sxm"
MEGAWATTS_PER_NODE = 0.015
"""More than a node ever draws."""


def uniform_fleet(nodes: int, sites: int, *, frame_rows: int = 1024, cadence_seconds: int = 1) -> Scenario:
    """So many nodes, shared out evenly; there must be one for each site."""
    sizes = [nodes // sites + (number < nodes % sites) for number in range(sites)]
    return Scenario(
        title=f"benchmark of {nodes:,} nodes",
        seed=1,
        cadence_seconds=cadence_seconds,
        frame_rows=frame_rows,
        sites={
            f"site-{number:03}": Site(
                supply_mw=size * MEGAWATTS_PER_NODE, pue=1.1, pools=(Pool(type=TYPE, nodes=size),)
            )
            for number, size in enumerate(sizes)
        },
    )


def write_scenario(fleet: Scenario, path: Path) -> Path:
    """Write it down for `fleettwin simulate --scenario`; JSON is YAML, too."""
    path.write_bytes(orjson.dumps(fleet.model_dump(mode="json", exclude_none=True, exclude_defaults=True)))
    return path
