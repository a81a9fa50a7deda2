"""Scenarios: fleets, their demand and their mishaps, written down as YAML. Times are seconds after the start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError

from models.catalogue import Catalogue, shipped_catalogue
from models.errors import ConfigurationError
from models.names import FLEET, Event, Name
from models.scenario_checks import Contradiction, disordered, repeated, unknown
from models.scenario_demand import Demand, Seconds, Tenant
from models.strict_yaml import read_yaml

_TAGS = ("supply", "allocation", "revision", "end")
"""Pydantic puts them into the path of an error; they are not in the file."""

Fraction = Annotated[float, Field(ge=0, le=1)]
Megawatts = Annotated[float, Field(ge=0, le=1e6)]


class Utilization(Event):
    """How busy working accelerators are: the part of time in which their cores work, which is what draws power."""

    mean: Fraction = 0.58
    spread: Fraction = 0.08
    """Standard deviation between jobs, and of one job over time."""


class Pool(Event):
    """Nodes of one type at a site."""

    type: Name
    nodes: Annotated[int, Field(ge=1, le=1_000_000)]
    accelerators_per_node: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Unset: the catalogue's."""
    utilization: Utilization = Utilization()
    allocated: Fraction = 0.9
    """Part of the accelerators that is bound to work."""
    fragmented: Fraction = 0.0
    """Part of the nodes of which at most half can be allocated: free accelerators that no whole-node gang can use."""
    held_idle: Fraction = 0.03
    """Part of the jobs that hold accelerators and do nothing."""
    metered: bool = True
    """False: these nodes do not say what they draw."""
    per_accelerator: bool = False
    """True: these nodes tell of each of their accelerators, too."""


class PlannedArrival(Event):
    """Accelerators that are to arrive."""

    type: Name
    accelerators: Annotated[int, Field(ge=1, le=100_000_000)]
    in_seconds: Seconds


class SupplyChange(Event):
    """The site may draw so much from `at` on."""

    at: Seconds
    supply_mw: Megawatts


class AllocationChange(Event):
    """So much of a pool is bound to work from `at` on."""

    at: Seconds
    type: Name
    allocated: Fraction


def _site_entry(entry: Any) -> str:
    fields = entry if isinstance(entry, dict) else getattr(entry, "__dict__", {})
    return "supply" if "supply_mw" in fields else "allocation"


SiteEntry = Annotated[
    Annotated[SupplyChange, Tag("supply")] | Annotated[AllocationChange, Tag("allocation")], Discriminator(_site_entry)
]


class Site(Event):
    """One site."""

    supply_mw: Megawatts
    pue: Annotated[float, Field(ge=1, le=5)]
    nodes_per_rack: Annotated[int, Field(ge=1, le=1000)] = 4
    pools: tuple[Pool, ...] = Field(min_length=1)
    arrivals: tuple[PlannedArrival, ...] = ()
    timeline: tuple[SiteEntry, ...] = ()

    @property
    def nodes(self) -> int:
        """All of its nodes."""
        return sum(pool.nodes for pool in self.pools)

    def contradictions(self, at: str, catalogue: Catalogue, period: float | None) -> Iterator[Contradiction]:
        """What no field of it can know to be wrong; `at` is its path."""
        types = [pool.type for pool in self.pools]
        yield from unknown(f"{at}.pools", "type", types, catalogue.ids)
        yield from unknown(f"{at}.arrivals", "type", [arrival.type for arrival in self.arrivals], catalogue.ids)
        yield from repeated(f"{at}.pools", "type", types)
        yield from disordered(f"{at}.timeline", [entry.at for entry in self.timeline], period)
        for i, entry in enumerate(self.timeline):
            if isinstance(entry, AllocationChange) and entry.type not in types:
                yield f"{at}.timeline.{i}.type", entry.type, f"a type of this site: {', '.join(types)}"


class ScriptedFault(Event):
    """Nodes that are silent, out of service or hot from `at` until `until`."""

    kind: Literal["silent", "failed", "draining", "maintenance", "hot"]
    site: Name
    type: Name
    nodes: Annotated[int, Field(ge=1, le=1_000_000)]
    at: Seconds
    until: Seconds

    def contradictions(self, at: str, scenario: Scenario) -> Iterator[Contradiction]:
        """What no field of it can know to be wrong; `at` is its path."""
        period = scenario.repeat_every_seconds
        if self.site not in scenario.sites:
            yield f"{at}.site", self.site, f"one of {', '.join(scenario.sites)}"
            return
        sizes = {pool.type: pool.nodes for pool in scenario.sites[self.site].pools}
        if self.type not in sizes:
            yield f"{at}.type", self.type, f"a type of {self.site}: {', '.join(sizes)}"
        elif self.nodes > sizes[self.type]:
            yield f"{at}.nodes", self.nodes, f"at most {sizes[self.type]}, the nodes of that type at {self.site}"
        if self.until <= self.at:
            yield f"{at}.until", self.until, f"later than at, {self.at}"
        if period is not None and self.until > period:
            yield f"{at}.until", self.until, f"at most repeat_every_seconds, {period}"


class Failures(Event):
    """Nodes that fail by chance."""

    per_node_day: Annotated[float, Field(ge=0, le=1000)] = 0.0
    repair_seconds: Annotated[float, Field(gt=0)] = 600.0


class DirtyReadings(Event):
    """Readings of a million that are as bad as real ones are."""

    negative_watts: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    duplicated: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Sent twice."""
    reordered: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Followed by an older reading of the same node."""


class Faults(Event):
    """What goes wrong."""

    scripted: tuple[ScriptedFault, ...] = ()
    failures: Failures = Failures()
    dirty: DirtyReadings = DirtyReadings()


class Scenario(Event):
    """A fleet and what happens to it."""

    title: str = Field(min_length=1)
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    cadence_seconds: Annotated[int, Field(ge=1, le=3600)] = 1
    """Between two readings of a node."""
    frame_rows: Annotated[int, Field(ge=1, le=16_384)] = 256
    repeat_every_seconds: Annotated[float, Field(gt=0)] | None = None
    """All timelines and scripted faults start again after so long; unset: they run once."""
    sites: Mapping[Name, Site] = Field(min_length=1)
    tenants: tuple[Tenant, ...] = ()
    demands: tuple[Demand, ...] = ()
    faults: Faults = Faults()

    @property
    def nodes(self) -> int:
        """All nodes of all sites."""
        return sum(site.nodes for site in self.sites.values())

    def accelerators(self, catalogue: Catalogue) -> dict[str, int]:
        """Accelerators by type, over all sites."""
        sums: dict[str, int] = {}
        for pool in (pool for site in self.sites.values() for pool in site.pools):
            sums[pool.type] = sums.get(pool.type, 0) + pool.nodes * per_node(pool, catalogue)
        return sums


def per_node(pool: Pool, catalogue: Catalogue) -> int:
    """How many accelerators a node of the pool has."""
    return pool.accelerators_per_node or catalogue[pool.type].per_node


def shipped_scenarios() -> tuple[str, ...]:
    """The names of the scenarios that come with the project, sorted."""
    entries = (entry.name for entry in files("scenarios").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in entries if name.endswith(".yaml")))


def load_scenario(name_or_path: str, catalogue: Catalogue | None = None) -> Scenario:
    """A shipped scenario by its name, or one from a file.

    Raises:
        ConfigurationError: neither is there, or it is wrong (see `read_scenario`).
    """
    if name_or_path in shipped_scenarios():
        text = files("scenarios").joinpath(f"{name_or_path}.yaml").read_text("utf-8")
        return read_scenario(text, f"scenarios/{name_or_path}.yaml", catalogue)
    try:
        text = Path(name_or_path).read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        expected = f"the path of a readable YAML file or one of {', '.join(shipped_scenarios())}"
        raise ConfigurationError("scenario", name_or_path, expected) from None
    return read_scenario(text, name_or_path, catalogue)


def read_scenario(text: str, name: str, catalogue: Catalogue | None = None) -> Scenario:
    """Read a scenario from YAML; `name` is the file's, for messages. The catalogue is the shipped one unless given.

    Raises:
        ConfigurationError: naming file, path in it, and value.
    """
    content = read_yaml(text, name)
    if not isinstance(content, dict):
        raise ConfigurationError(name, content, "a mapping with title, seed and sites")
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        path = ".".join(str(part) for part in first["loc"] if part not in _TAGS)
        raise ConfigurationError(f"{name}: {path}", first["input"], first["msg"]) from None
    for path, value, expected in _contradictions(scenario, catalogue or shipped_catalogue()):
        raise ConfigurationError(f"{name}: {path}", value, expected)
    return scenario


def _contradictions(scenario: Scenario, catalogue: Catalogue) -> Iterator[Contradiction]:
    sites, period = tuple(scenario.sites), scenario.repeat_every_seconds
    for id_, site in scenario.sites.items():
        yield from site.contradictions(f"sites.{id_}", catalogue, period)
    if FLEET in sites:
        yield f"sites.{FLEET}", FLEET, "another name: this one is the fleet's own"
    tenants = [tenant.tenant for tenant in scenario.tenants]
    yield from repeated("tenants", "tenant", tenants)
    for i, tenant in enumerate(scenario.tenants):
        yield from tenant.contradictions(f"tenants.{i}", catalogue, period)
    yield from repeated("demands", "demand", [demand.demand for demand in scenario.demands])
    for i, demand in enumerate(scenario.demands):
        yield from demand.contradictions(f"demands.{i}", catalogue, sites, tenants, period)
    for i, fault in enumerate(scenario.faults.scripted):
        yield from fault.contradictions(f"faults.scripted.{i}", scenario)
