"""Fleets of any size, made from the million accelerators that come with the project, and written as scenario files."""

from __future__ import annotations

from pathlib import Path

import yaml

from models.scenario import Scenario, load_scenario
from models.scenario_demand import Revision

MILLION = "million"


def million() -> Scenario:
    """20 sites, 125,000 nodes of eight accelerators, one reading a second each."""
    return load_scenario(MILLION)


def scaled(fleet: Scenario, factor: float) -> Scenario:
    """The fleet with so many times the nodes in every pool, the power to run them and the demand for them."""
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


def written(fleet: Scenario, file: Path) -> Path:
    """The fleet as a file that `fleettwin simulate --scenario` takes."""
    content = fleet.model_dump(mode="json", exclude_defaults=True)
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file
