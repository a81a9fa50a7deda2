"""Simulated fleets of any size for measurements."""

from __future__ import annotations

from pathlib import Path

import orjson

from models.scenario import Pool, Scenario, Site
from models.scenario_demand import Revision

TYPE = "h100-sxm"
MEGAWATTS_PER_NODE = 0.015
"""More than a node ever draws."""


def uniform_fleet(nodes: int, sites: int, *, frame_rows: int = 1024, cadence_seconds: int = 1) -> Scenario:
    """So many nodes at sites that are alike, without demand or faults; there must be a node for each site."""
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


def scaled(fleet: Scenario, factor: float) -> Scenario:
    """The fleet with so many times the nodes, the power to run them and the demand for them; nothing is scripted."""
    sites = {
        name: site.model_copy(
            update={
                "supply_mw": round(site.supply_mw * factor, 3),
                "pools": tuple(
                    pool.model_copy(update={"nodes": max(1, round(pool.nodes * factor))}) for pool in site.pools
                ),
                "timeline": (),
            }
        )
        for name, site in fleet.sites.items()
    }
    demands = tuple(
        demand.model_copy(
            update={
                "timeline": tuple(
                    entry.model_copy(
                        update={"wanted": round(entry.wanted * factor), "granted": round(entry.granted * factor)}
                    )
                    for entry in demand.timeline
                    if isinstance(entry, Revision)
                )
            }
        )
        for demand in fleet.demands
    )
    tenants = tuple(tenant.model_copy(update={"quotas": ()}) for tenant in fleet.tenants)
    return fleet.model_copy(
        update={
            "title": f"{fleet.title}, {factor:g} times",
            "sites": sites,
            "demands": demands,
            "tenants": tenants,
            "faults": fleet.faults.model_copy(update={"scripted": ()}),
        }
    )


def write_scenario(fleet: Scenario, path: Path) -> Path:
    """Write it down for `fleettwin simulate --scenario`; JSON is YAML, too."""
    path.write_bytes(orjson.dumps(fleet.model_dump(mode="json", exclude_none=True, exclude_defaults=True)))
    return path
