"""Scenarios: the shipped ones are what their titles say, and a wrong one is refused where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.catalogue import shipped_catalogue
from models.errors import ConfigurationError
from models.scenario import SupplyChange, load_scenario, read_scenario, shipped_scenarios

CATALOGUE = shipped_catalogue()

GOOD = """
title: small
seed: 1
repeat_every_seconds: 100
sites:
  memphis:
    supply_mw: 1
    pue: 1.1
    pools:
      - {type: h100-sxm, nodes: 10}
      - {type: h200-sxm, nodes: 5}
    arrivals:
      - {type: b200-sxm, accelerators: 8, in_seconds: 60}
    timeline:
      - {at: 5, supply_mw: 2}
      - {at: 9, type: h100-sxm, allocated: 0.5}
tenants:
  - tenant: research
    quotas:
      - {types: [h100-sxm, h200-sxm], deserved: 60, limit: 90}
      - {deserved: 20}
    timeline:
      - {at: 30, quotas: [{types: [h200-sxm], limit: 40}]}
      - {at: 70, quotas: []}
  - tenant: product
demands:
  - demand: run
    project: p
    tenant: research
    purpose: applied
    workload: inference
    types: [h100-sxm]
    sites: [memphis]
    timeline:
      - {at: 0, wanted: 10, granted: 5, ends_at: 50}
      - {at: 60, ended: true}
faults:
  scripted:
    - {kind: silent, site: memphis, type: h100-sxm, nodes: 2, at: 10, until: 20}
"""


@pytest.mark.parametrize(
    ("name", "sites", "accelerators", "megawatts"),
    [
        ("colossus-100k", 1, {"h100-sxm": 100_000}, 150),
        ("colossus-200k", 1, {"h100-sxm": 150_000, "h200-sxm": 50_000}, 300),
        ("stargate-abilene", 8, {"gb200": 480_000}, 1200),
        ("meta-24k", 2, {"h100-sxm": 2 * 24_576}, 70),
        ("cerebras-750mw", 3, {"cs-3": 26_400}, 750),
    ],
)
def test_a_shipped_scenario_is_as_large_as_its_title_says(
    name: str, sites: int, accelerators: dict[str, int], megawatts: float
) -> None:
    scenario = load_scenario(name)

    assert len(scenario.sites) == sites
    assert scenario.accelerators(CATALOGUE) == accelerators
    assert sum(site.supply_mw for site in scenario.sites.values()) == megawatts


def test_the_demo_has_three_sites_and_two_thousand_nodes_of_several_vendors() -> None:
    scenario = load_scenario("demo")

    assert (len(scenario.sites), scenario.nodes) == (3, 2000)
    assert len({CATALOGUE[type_].vendor for type_ in scenario.accelerators(CATALOGUE)}) >= 5


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_fleet_at_full_load_stays_within_the_most_that_its_site_is_supplied_with(name: str) -> None:
    for site in load_scenario(name).sites.values():
        full = sum(
            pool.nodes * (CATALOGUE[pool.type].per_node * kind.max_watts + kind.host_max_watts)
            for pool in site.pools
            for kind in (CATALOGUE[pool.type],)
        )

        supplies = [entry.supply_mw for entry in site.timeline if isinstance(entry, SupplyChange)]
        assert full * site.pue <= max([site.supply_mw, *supplies]) * 1e6


def test_what_is_left_out_has_its_default() -> None:
    scenario = read_scenario(GOOD, "small.yaml")

    assert (scenario.cadence_seconds, scenario.frame_rows) == (1, 256)
    assert scenario.accelerators(CATALOGUE) == {"h100-sxm": 80, "h200-sxm": 40}


@pytest.mark.parametrize(
    ("old", "new", "path", "value"),
    [
        pytest.param("seed: 1", "seed: -1", "seed", -1, id="seed-below-zero"),
        pytest.param("title: small", 'title: ""', "title", "", id="no-title"),
        pytest.param("supply_mw: 1\n", "supply_mw: lots\n", "sites.memphis.supply_mw", "lots", id="no-number"),
        pytest.param("pue: 1.1", "pue: 0.9", "sites.memphis.pue", 0.9, id="pue-below-one"),
        pytest.param("nodes: 10}", "nodes: 10, gpus: 8}", "sites.memphis.pools.0.gpus", 8, id="unknown-field"),
        pytest.param("type: h200-sxm", "type: h201", "sites.memphis.pools.1.type", "h201", id="unknown-type"),
        pytest.param("type: h200-sxm", "type: h100-sxm", "sites.memphis.pools.1.type", "h100-sxm", id="pool-twice"),
        pytest.param("type: b200-sxm", "type: b1", "sites.memphis.arrivals.0.type", "b1", id="unknown-arrival"),
        pytest.param("at: 9", "at: 4", "sites.memphis.timeline.1.at", 4.0, id="site-timeline-out-of-order"),
        pytest.param("at: 9", "at: 100", "sites.memphis.timeline.1.at", 100.0, id="beyond-the-round"),
        pytest.param("supply_mw: 2", "supply_mw: x", "sites.memphis.timeline.0.supply_mw", "x", id="in-a-timeline"),
        pytest.param(
            "type: h100-sxm, allocated",
            "type: mi300x, allocated",
            "sites.memphis.timeline.1.type",
            "mi300x",
            id="no-pool",
        ),
        pytest.param("sites: [memphis]", "sites: [paris]", "demands.0.sites.0", "paris", id="demand-at-unknown-site"),
        pytest.param("types: [h100-sxm]", "types: [h101]", "demands.0.types.0", "h101", id="demand-of-unknown-type"),
        pytest.param(
            "types: [h100-sxm]", "types: [cs-3, cs-3]", "demands.0.types.1", "cs-3", id="demand-names-a-type-twice"
        ),
        pytest.param("granted: 5", "granted: 11", "demands.0.timeline.0.granted", 11, id="granted-exceeds-wanted"),
        pytest.param("ends_at: 50", "ends_at: 0", "demands.0.timeline.0.ends_at", 0.0, id="ends-before-it-begins"),
        pytest.param("at: 60, ended", "at: -1, ended", "demands.0.timeline.1.at", -1, id="before-the-start"),
        pytest.param("ended: true", "ended: false", "demands.0.timeline.1.ended", False, id="ended-is-a-fact"),
        pytest.param("tenant: product", "tenant: research", "tenants.1.tenant", "research", id="a-tenant-twice"),
        pytest.param("p\n    tenant: research", "p\n    tenant: x", "demands.0.tenant", "x", id="an-unknown-tenant"),
        pytest.param("purpose: applied", "purpose: fun", "demands.0.purpose", "fun", id="unknown-purpose"),
        pytest.param("workload: inf", "workload: f", "demands.0.workload", "ference", id="unknown-workload"),
        pytest.param("deserved: 60", "deserved: 91", "tenants.0.quotas.0.deserved", 91, id="deserves-beyond-limit"),
        pytest.param("deserved: 60", "deserved: -1", "tenants.0.quotas.0.deserved", -1, id="deserves-less-than-none"),
        pytest.param("h200-sxm], d", "h201], d", "tenants.0.quotas.0.types.1", "h201", id="quota-of-unknown-type"),
        pytest.param("h200-sxm], d", "h100-sxm], d", "tenants.0.quotas.0.types.1", "h100-sxm", id="quota-type-twice"),
        pytest.param(
            "{deserved: 20}",
            "{types: [h200-sxm, h100-sxm], limit: 1}",
            "tenants.0.quotas.1.types",
            ("h200-sxm", "h100-sxm"),
            id="two-quotas-of-the-same-types",
        ),
        pytest.param("limit: 40}", "share: 40}", "tenants.0.timeline.0.quotas.0.share", 40, id="quota-field"),
        pytest.param(", limit: 40}", "}", "tenants.0.timeline.0.quotas.0.deserved", None, id="quota-of-nothing"),
        pytest.param("at: 70", "at: 20", "tenants.0.timeline.1.at", 20.0, id="tenant-timeline-out-of-order"),
        pytest.param("at: 30", "at: 0", "tenants.0.timeline.0.at", 0, id="changes-at-the-start"),
        pytest.param("at: 70", "at: 100", "tenants.0.timeline.1.at", 100.0, id="tenant-beyond-the-round"),
        pytest.param("  memphis:", "  fleet:", "sites.fleet", "fleet", id="a-site-named-as-the-fleet"),
        pytest.param("kind: silent", "kind: lazy", "faults.scripted.0.kind", "lazy", id="unknown-fault"),
        pytest.param("site: memphis", "site: paris", "faults.scripted.0.site", "paris", id="fault-at-unknown-site"),
        pytest.param("nodes: 2,", "nodes: 11,", "faults.scripted.0.nodes", 11, id="more-faulty-than-there-are"),
        pytest.param("until: 20", "until: 10", "faults.scripted.0.until", 10.0, id="fault-ends-before-it-begins"),
        pytest.param("until: 20", "until: 101", "faults.scripted.0.until", 101.0, id="fault-outlives-the-round"),
    ],
)
def test_a_wrong_scenario_is_refused_with_file_path_and_value(old: str, new: str, path: str, value: object) -> None:
    assert old in GOOD

    with pytest.raises(ConfigurationError) as caught:
        read_scenario(GOOD.replace(old, new, 1), "small.yaml")

    assert (caught.value.setting, caught.value.value) == (f"small.yaml: {path}", value)


def test_a_demand_may_not_be_there_twice() -> None:
    twice = GOOD.replace("faults:", "  - {demand: run, project: q, timeline: [{at: 0, wanted: 1}]}\nfaults:")

    with pytest.raises(ConfigurationError, match=r"small\.yaml: demands\.1\.demand is 'run'"):
        read_scenario(twice, "small.yaml")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("title: [", "small.yaml: line 1", id="not-yaml"),
        pytest.param("title: a\ntitle: b", "small.yaml: line 2", id="key-twice"),
        pytest.param("- a list", "small.yaml", id="not-a-mapping"),
        pytest.param("", "small.yaml", id="empty"),
    ],
)
def test_what_is_no_mapping_is_refused_with_its_place(text: str, place: str) -> None:

    with pytest.raises(ConfigurationError) as caught:
        read_scenario(text, "small.yaml")

    assert caught.value.setting == place


def test_a_path_is_read_and_a_name_that_is_neither_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(GOOD)

    assert load_scenario(str(path)).title == "small"
    with pytest.raises(ConfigurationError, match="colossus-100k"):
        load_scenario("no-such-scenario")


def test_where_no_tenants_are_listed_a_demand_may_name_any() -> None:
    start, end = GOOD.index("tenants:"), GOOD.index("demands:")

    assert read_scenario(GOOD[:start] + GOOD[end:], "small.yaml").demands[0].tenant == "research"
