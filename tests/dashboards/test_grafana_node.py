"""The figures of the dashboard of a node: its accelerators one by one, its states, and what changed when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from infra.timescale.sink import TimescaleSink
from models.instants import Instant, moment_of
from tests.dashboards.grafana_asking import SCHEMA, asked, by_name, looked_at, migrated
from tests.infra.timescale_builders import HOUR, T0, node_frame

pytestmark = pytest.mark.servers

MINUTE = 60_000
ODD = 'o\'hare "1" 100%'


@pytest.fixture(scope="module")
def address(database_template: str) -> Iterator[str]:
    with migrated(database_template, "grafana_node") as address:
        yield address


@pytest.fixture
def look(address: str) -> Iterator[Connection]:
    with looked_at(address) as look:
        yield look
        look.execute("truncate node_samples, node_absent, site_newest_frame, node_1m, node_1h, rollup_due")


def written(address: str, samples: Mapping[int, Mapping[str, Any]], *, site: str = "memphis", node: str = "n1") -> None:
    """What a node says so many milliseconds after T0, beside a neighbour who says other things at the same time."""
    neighbour = {"power_milliwatts": 1, "energy_joules": 0, "hearing": 2, "state": 3}
    frames = []
    for at, said in samples.items():
        names = sorted({*said, *neighbour})
        columns: dict[str, Sequence[Any]] = {"node": [node, "neighbour"]}
        for name in names:
            usual = {"hearing": 0, "state": 0, "power_milliwatts": 5_000_000, "energy_joules": 1}.get(name)
            columns[name] = [said.get(name, usual), neighbour.get(name, 8 if name == "in_service" else None)]
        frames.append(node_frame(site, T0 + at, columns))
    with TimescaleSink(address, SCHEMA) as sink:
        sink.write(RowBatch(nodes=frames))


def test_accelerators_are_numbered_from_zero_and_one_that_does_not_say_has_no_value(
    address: str, look: Connection
) -> None:
    said = {"accelerator_utilization_ppm": [250_000, None, 1_000_000]}
    written(address, {MINUTE: said, 2 * MINUTE: said})

    rows = asked(look, "fleet-node: Utilisation by accelerator, query B", T0, T0 + HOUR)

    series = by_name(rows, "accelerator", "value")
    assert {name: list(values.values()) for name, values in series.items()} == {"0": [0.25, 0.25], "2": [1, 1]}
    assert list(series["0"]) == [moment_of(Instant(T0 + MINUTE)), moment_of(Instant(T0 + 2 * MINUTE))]


def test_an_accelerators_values_in_one_bucket_are_one_mean(address: str, look: Connection) -> None:
    ticks = {at: {"accelerator_temperature_millicelsius": [60_000 + at]} for at in range(0, 20_000, 10_000)}
    written(address, ticks)

    rows = asked(look, "fleet-node: Temperature by accelerator, query B", T0 - 5 * HOUR, T0 + HOUR)

    assert [(row["accelerator"], row["value"]) for row in rows] == [("0", 65)]


def test_accelerators_are_shown_for_the_last_twelve_hours_of_a_long_range(address: str, look: Connection) -> None:
    written(address, {at * HOUR: {"accelerator_memory_used_bytes": [2**36]} for at in (0, 13, 24)})

    rows = asked(look, "fleet-node: Memory used by accelerator, query B", T0, T0 + 24 * HOUR)

    assert [row["time"] for row in rows] == [moment_of(Instant(T0 + at * HOUR)) for at in (13, 24)]
    assert rows[0]["value"] == 2**36


def test_memory_is_of_all_together_only_where_the_node_does_not_tell_its_accelerators_apart(
    address: str, look: Connection
) -> None:
    written(address, {MINUTE: {"accelerator_memory_used_bytes": [2**36]}})
    written(address, {MINUTE: {"memory_used_bytes": 2**39}}, site="abilene", node="n2")

    told = asked(look, "fleet-node: Memory used by accelerator, query A", T0, T0 + HOUR)
    silent = asked(look, "fleet-node: Memory used by accelerator, query A", T0, T0 + HOUR, sites=["abilene"], node="n2")

    assert (told, [row["all together"] for row in silent]) == ([], [2**39])


def test_the_power_of_accelerators_is_the_sum_of_those_that_say(address: str, look: Connection) -> None:
    written(address, {MINUTE: {"accelerator_power_milliwatts": [700_000, None, 600_000]}, 2 * MINUTE: {}})

    rows = asked(look, "fleet-node: Power, query B", T0, T0 + HOUR)
    whole = asked(look, "fleet-node: Power, query A", T0, T0 + HOUR)

    assert [row["its accelerators"] for row in rows] == [1300]
    assert [row["the node"] for row in whole] == [5000, 5000]


def test_the_worst_of_a_bucket_is_shown(address: str, look: Connection) -> None:
    states = {0: (0, 0), 10_000: (1, 1), 20_000: (2, 0), 30_000: (0, 2), 5 * MINUTE: (0, 3), 6 * MINUTE: (0, 0)}
    written(address, {at: {"hearing": hearing, "state": state} for at, (hearing, state) in states.items()})

    minutes = asked(look, "fleet-node: Heard, and in which state", T0 - 12 * HOUR, T0 + HOUR)
    samples = asked(look, "fleet-node: Heard, and in which state", T0, T0 + HOUR)

    assert [(row["hearing"], row["state"]) for row in minutes] == [(3, 13), (1, 14), (1, 11)]
    assert [(row["hearing"], row["state"]) for row in samples] == [
        (1, 11),
        (2, 12),
        (3, 11),
        (1, 13),
        (1, 14),
        (1, 11),
    ]


def test_changes_are_the_newest_fifty_with_what_was_before(address: str, look: Connection) -> None:
    steady = {"hearing": 0, "state": 0, "in_service": 8}
    written(
        address,
        {
            0: steady,
            10_000: steady,
            20_000: steady | {"hearing": 1},
            30_000: steady | {"hearing": 1},
            40_000: steady | {"in_service": 7},
            50_000: steady | {"in_service": 7, "state": 2, "power_milliwatts": 7},
        },
    )

    rows = asked(look, "fleet-node: Last changes", T0, T0 + HOUR)

    told = [
        (
            row["hearing before"],
            row["hearing"],
            row["state before"],
            row["state"],
            row["in service before"],
            row["in service"],
        )
        for row in rows
    ]
    assert told == [
        ("reporting", "reporting", "in service", "maintenance", 7, 7),
        ("stale", "reporting", "in service", "in service", 8, 7),
        ("reporting", "stale", "in service", "in service", 8, 8),
    ]


def test_at_most_fifty_changes_are_listed(address: str, look: Connection) -> None:
    written(address, {at * 10_000: {"hearing": at % 2} for at in range(60)})

    rows = asked(look, "fleet-node: Last changes", T0, T0 + HOUR)

    assert len(rows) == 50
    assert rows[0]["time"] == moment_of(Instant(T0 + 590_000))


def test_energy_is_what_was_added_within_the_range(address: str, look: Connection) -> None:
    written(address, {0: {"energy_joules": 10**9}, HOUR: {"energy_joules": 10**9 + 7_200_000}})

    rows = asked(look, "fleet-node: Energy", T0, T0 + HOUR + MINUTE)

    assert rows == [{"energy": pytest.approx(2.0)}]


def test_a_node_of_an_odd_name_at_a_site_of_an_odd_name_is_found(address: str, look: Connection) -> None:
    written(address, {MINUTE: {"power_milliwatts": 4_000_000}}, site=ODD, node=ODD)

    rows = asked(look, "fleet-node: The node", T0, T0 + HOUR, sites=["memphis", ODD], node=ODD)

    assert [(row["site"], row["power"], row["state"], row["power is"]) for row in rows] == [
        (ODD, 4000, "in service", "measured")
    ]


def test_a_name_that_two_sites_use_is_the_first_ones_unless_a_site_is_chosen(address: str, look: Connection) -> None:
    written(address, {MINUTE: {"power_milliwatts": 1000}}, site="abilene")
    written(address, {MINUTE: {"power_milliwatts": 2000}}, site="memphis")

    def power(*sites: str) -> list[float]:
        rows = asked(look, "fleet-node: Power, query A", T0, T0 + HOUR, sites=sites)
        return [row["the node"] for row in rows]

    assert (power("abilene", "memphis"), power("memphis")) == ([1.0], [2.0])
