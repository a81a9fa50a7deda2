"""The fleet that faults are tried on: its readings are as bad as real ones, and something runs short all the time."""

from __future__ import annotations

from models.scenario import DirtyReadings, Faults, Pool, Scenario, ScriptedFault, Site, SupplyChange
from models.scenario_demand import Demand, Revision

SITES = 8
TYPE = "h100-sxm"
CYCLE_SECONDS = 40.0
"""After it everything happens again."""

_ENOUGH_MW, _SHORT_MW = 0.016, 0.003
"""A node's share of a site's supply."""


def dirty_fleet(rate: int) -> Scenario:
    """So many nodes, each of which speaks once a second."""
    nodes = max(2, rate // SITES)
    accelerators = SITES * nodes * 8
    return Scenario(
        title=f"Faults: {SITES} sites, {SITES * nodes:,} nodes",
        seed=7,
        frame_rows=1024,
        repeat_every_seconds=CYCLE_SECONDS,
        sites={f"site-{number}": _site(number, nodes) for number in range(SITES)},
        demands=(
            Demand(
                demand="training",
                project="frontier",
                types=(TYPE,),
                gang=8,
                timeline=(
                    Revision(at=0, wanted=accelerators // 8 * 9, granted=accelerators // 8 * 7),
                    Revision(at=20, wanted=accelerators // 8 * 7, granted=accelerators // 8 * 7),
                ),
            ),
        ),
        faults=Faults(
            scripted=(
                ScriptedFault(kind="silent", site="site-0", type=TYPE, nodes=1, at=4, until=30),
                ScriptedFault(kind="failed", site="site-1", type=TYPE, nodes=1, at=2, until=35),
            ),
            dirty=DirtyReadings(negative_watts=2000, duplicated=10_000, reordered=10_000),
        ),
    )


def _site(number: int, nodes: int) -> Site:
    short = 8.0 + number % 4
    return Site(
        supply_mw=round(_ENOUGH_MW * nodes, 6),
        pue=1.1,
        pools=(Pool(type=TYPE, nodes=nodes, allocated=0.8),),
        timeline=(
            SupplyChange(at=short, supply_mw=round(_SHORT_MW * nodes, 6)),
            SupplyChange(at=short + 14, supply_mw=round(_ENOUGH_MW * nodes, 6)),
        ),
    )
