"""The sink on a real TimescaleDB: each row once, whatever comes how often in which order."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from typing import LiteralString

import pytest
from psycopg import conninfo

from infra.timescale import tables
from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from infra.timescale.inspection import delays, row_counts
from infra.timescale.reading_back import expected_rows, stored_rows
from infra.timescale.rows import Row
from infra.timescale.sink import TimescaleSink
from models.errors import ConfigurationError, Unavailable
from models.instants import Instant, moment_of
from models.node_frame import Hearing, PowerSource
from models.reading import STATE_NAMES
from models.shortage import Binding, Constraint, Status, Unplaced
from streams.oracle.verification import Verification
from tests.infra.timescale_builders import (
    ODD_NAMES,
    T0,
    fleet_state,
    letter,
    minute_of_everything,
    node_frame,
    nodes,
    opened,
    pool,
    select,
    shortage,
    site_state,
    tenant,
)

pytestmark = pytest.mark.servers


def stored(look: Connection) -> dict[str, list[Row]]:
    return {table.name: list(stored_rows(look, "fleettwin", table)) for table in tables.TABLES}


def expected(batch: RowBatch) -> dict[str, list[Row]]:
    return {table.name: expected_rows(batch, table) for table in tables.TABLES}


def test_what_is_written_can_be_read_back_exactly(database_url: str) -> None:
    batch = minute_of_everything()
    with opened(database_url) as (sink, look):
        written = sink.write(batch)

        assert stored(look) == expected(batch)
        assert written == row_counts(look, "fleettwin")
        assert all(written.values())


def test_repeats_write_nothing(database_url: str) -> None:
    batch = minute_of_everything()
    with opened(database_url) as (sink, look):
        sink.write(batch)
        before = select(look, "select time, site, written_at from site_samples order by 1, 2")
        again = sink.write(batch)

        assert set(again.values()) == {0}
        assert select(look, "select time, site, written_at from site_samples order by 1, 2") == before
        assert stored(look) == expected(batch)


def test_a_batch_that_overlaps_adds_only_what_is_new(database_url: str) -> None:
    first = minute_of_everything(seconds=40)
    both = minute_of_everything(seconds=60)
    with opened(database_url) as (sink, look):
        sink.write(first)
        added = sink.write(both)

        assert added == {name: len(expected(both)[name]) - len(expected(first)[name]) for name in added}
        assert stored(look) == expected(both)


def test_repeats_within_a_batch_count_once(database_url: str) -> None:
    one = minute_of_everything(seconds=20)
    twice = RowBatch(**{each.name: [*getattr(one, each.name)] * 2 for each in fields(RowBatch)})
    with opened(database_url) as (sink, look):
        assert sink.write(twice) == {name: len(content) for name, content in expected(one).items()}
        assert stored(look) == expected(one)


@pytest.mark.parametrize("seed", range(3))
def test_interleaved_repeats_in_any_order_give_the_same_rows(database_url: str, seed: int) -> None:
    whole = minute_of_everything(seconds=30)
    pieces = [
        *(RowBatch(sites=whole.sites[i : i + 7]) for i in range(0, len(whole.sites), 5)),
        *(RowBatch(fleet=whole.fleet[i : i + 7]) for i in range(0, len(whole.fleet), 5)),
        *(RowBatch(shortages=[event], nodes=whole.nodes[i : i + 3]) for i, event in enumerate(whole.shortages)),
        *(RowBatch(nodes=[frame]) for frame in whole.nodes),
        *(RowBatch(letters=[one]) for one in whole.letters),
        *(RowBatch(pipeline=whole.pipeline[i : i + 3]) for i in range(0, len(whole.pipeline), 2)),
    ] * 2
    random.Random(seed).shuffle(pieces)
    with opened(database_url) as (sink, look):
        for piece in pieces:
            sink.write(piece)
        columns = ", ".join(tables.NODE_SAMPLES.columns)
        look.execute("set search_path to fleettwin")
        latest = look.execute(f"select {columns} from node_latest order by site, node".encode()).fetchall()
        newest = look.execute(
            f"select distinct on (site, node) {columns} from node_samples order by site, node, time desc".encode()
        ).fetchall()

        assert stored(look) == expected(whole)
        assert latest == newest


def test_odd_names_come_back_unchanged(database_url: str) -> None:
    frames = [
        node_frame(name, T0, {"node": list(ODD_NAMES), "rack": list(ODD_NAMES), "type": [name] * len(ODD_NAMES)})
        for name in ODD_NAMES
    ]
    batch = RowBatch(
        sites=[site_state(name, pools=[pool(kind) for kind in ODD_NAMES]) for name in ODD_NAMES],
        fleet=[fleet_state(tenants=[tenant(name) for name in ODD_NAMES])],
        shortages=[shortage(name=name) for name in ODD_NAMES],
        nodes=frames,
    )
    with opened(database_url) as (sink, look):
        sink.write(batch)
        sink.write(batch)
        sink.roll_up()

        assert stored(look) == expected(batch)
        assert {site for (site,) in select(look, "select distinct site from node_1h")} == set(ODD_NAMES)
        assert {name for (name,) in select(look, "select distinct tenant from tenant_1h")} == set(ODD_NAMES)


def test_unknown_stays_null(database_url: str) -> None:
    optional = ("rack", "allocated", "power_milliwatts", "utilization_ppm", "memory_used_bytes", "energy_joules")
    frame = node_frame("memphis", T0, {"node": ["n1"], **{name: [None] for name in optional}})
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(nodes=[frame], sites=[site_state(facility=None)]))
        sink.roll_up()

        assert select(
            look, "select rack, allocated, power_watts, utilization, memory_used_bytes from node_samples"
        ) == [(None,) * 5]
        assert select(look, "select n, power_watts_n, power_watts_sum, power_watts_max from node_1m") == [
            (1, 0, None, None)
        ]
        assert select(look, "select facility_watts, newest_reading from site_samples") == [(None, moment_of(T0 - 137))]


def test_the_views_have_words_for_every_code(database_url: str) -> None:
    frame = node_frame(
        "memphis",
        T0,
        {"node": ["a", "b", "c", "d"], "hearing": [0, 1, 2, None], "state": [0, 1, 2, 3], "power_source": [0, 1, 2, 3]},
    )
    words = [
        (
            Hearing(index).name.lower() if index < 3 else None,
            STATE_NAMES[index],
            PowerSource(index).name.lower(),
        )
        for index in range(4)
    ]
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(nodes=[frame]))

        assert select(look, "select hearing, state, power_source from nodes_now order by node") == words
        assert select(look, "select hearing, state, power_source from node_history order by node") == words


def test_a_shortage_without_anything_more_to_say_has_empty_columns(database_url: str) -> None:
    plain = Binding(constraint=Constraint.ACCELERATORS, sites=(), types=(), summary="none free")
    event = shortage().model_copy(update={"binding": plain, "also": (), "resource": Unplaced(types=("gb200",))})
    batch = RowBatch(shortages=[event])
    with opened(database_url) as (sink, look):
        sink.write(batch)

        assert stored(look) == expected(batch)
        assert select(
            look,
            "select resource, resource_types, binding, binding_together_with, binding_behind, one_more_unit,"
            " one_more_serves, also from shortages",
        ) == [("unplaced", ["gb200"], "accelerators", [], 0, None, None, [])]


def test_open_shortages_can_be_read_with_all_that_binds(database_url: str) -> None:
    gone = shortage(1, name="gone", status=Status.RESOLVED, missing=0)
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(shortages=[shortage(0), shortage(1, missing=6), gone]))

        assert select(
            look,
            "select scope_name, missing_accelerators, binding, together_with, behind, one_more_unit, one_more_serves,"
            " also from shortages_now",
        ) == [("atlas", 6, "whole_nodes", ["power", "quota"], 6, "whole_node", 8, ["unknown_capacity"])]


def test_tenants_now_are_those_of_the_newest_tick(database_url: str) -> None:
    before = fleet_state(T0, tenants=[tenant("gone"), tenant("stays")])
    now = fleet_state(T0 + 1000, tenants=[tenant("stays", pending=4), tenant("free", deserved=None)])
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(fleet=[before, now]))

        assert select(
            look, "select tenant, deserved, pending, starved, borrowing, servable from tenants_now order by tenant"
        ) == [("free", None, 3, None, None, 1), ("stays", 10, 4, 2, 0, 1)]

        sink.write(RowBatch(fleet=[fleet_state(T0 + 2000)]))
        assert select(look, "select * from tenants_now") == []


TAMPERED = [
    pytest.param("update shortage_events set binding_together_with = '{power}'", id="together-with"),
    pytest.param("update shortage_events set binding_behind = binding_behind + 1", id="behind"),
    pytest.param("update shortage_events set one_more_unit = null", id="one-more-of-what"),
    pytest.param("update shortage_events set one_more_serves = 9", id="one-more-serves"),
    pytest.param("update shortage_events set also = '[]'", id="what-else-binds"),
    pytest.param("update shortage_events set also = jsonb_set(also, '{0,behind}', '\"0\"')", id="text-for-a-number"),
    pytest.param("update shortage_events set also = '[1e99]'", id="no-binding"),
    pytest.param("update shortage_events set also = event", id="a-shortage-for-what-else-binds"),
    pytest.param("update shortage_events set event = '[]'", id="nothing-for-a-shortage"),
    pytest.param("update fleet_samples set servable = null", id="servable-of-the-fleet"),
    pytest.param("update fleet_samples set demands_waiting = 5, demands_expired = 4", id="waiting-for-expired"),
    pytest.param("update fleet_samples set overcommitted = 0", id="promised-twice"),
    pytest.param("update fleet_samples set unexpected = 0", id="unexpected-in-the-fleet"),
    pytest.param("update site_samples set unexpected = 0", id="unexpected-at-a-site"),
    pytest.param("update tenant_samples set deserved = 0 where deserved is null", id="zero-for-unknown"),
    pytest.param("update tenant_samples set limited_to = 21", id="limit"),
    pytest.param("update tenant_samples set used = 7, starved = 1, borrowing = 1", id="what-a-tenant-has"),
    pytest.param("update tenant_samples set servable = 2", id="servable-of-a-tenant"),
    pytest.param("delete from tenant_samples where tenant = 'free'", id="a-tenant-that-is-missing"),
    pytest.param("update tenant_samples set tenant = 'Free' where tenant = 'free'", id="another-tenant"),
    pytest.param("update dead_letters set code = 'late'", id="another-reason"),
    pytest.param("update dead_letters set rows_refused = 1", id="fewer-rows-refused"),
    pytest.param("delete from dead_letters", id="no-dead-letter"),
]


@pytest.mark.parametrize("tampering", TAMPERED)
def test_whoever_verifies_sees_a_changed_value(database_url: str, tampering: LiteralString) -> None:
    states = [fleet_state(tenants=[tenant(), tenant("free", deserved=None)])]
    batch = RowBatch(shortages=[shortage()], fleet=states, sites=[site_state()], letters=[letter()])
    with opened(database_url) as (sink, look):
        sink.write(batch)
        assert differences(look, batch) == 0

        look.execute("set search_path to fleettwin, public")
        look.execute(tampering)
        assert differences(look, batch) > 0


def differences(look: Connection, batch: RowBatch) -> int:
    verification = Verification()
    for table in tables.TABLES:
        found = stored_rows(look, "fleettwin", table)
        verification.compare_rows(table.name, expected_rows(batch, table), [], found)
    return verification.differences


def test_nothing_of_a_batch_is_written_when_a_part_of_it_cannot_be(database_url: str) -> None:
    broken = shortage().model_copy(update={"sequence": 2**63})
    with opened(database_url) as (sink, look):
        with pytest.raises(OverflowError):
            sink.write(replace(minute_of_everything(seconds=5), shortages=[broken]))

        assert set(row_counts(look, "fleettwin").values()) == {0}
        assert sink.write(RowBatch(sites=[site_state()]))["site_samples"] == 1


def test_an_empty_batch_is_nothing(database_url: str) -> None:
    with opened(database_url) as (sink, _):
        assert sink.write(RowBatch()) == {}
        assert sink.write(RowBatch(nodes=[nodes(names=[])])) == {"node_samples": 0}


def test_a_lost_connection_is_made_again(database_url: str) -> None:
    batch = RowBatch(sites=[site_state()])
    with opened(database_url) as (sink, look):
        look.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'fleettwin store'"
            " and datname = current_database()"
        )
        with pytest.raises(Unavailable):
            sink.write(batch)

        assert sink.write(batch) == {"site_samples": 1, "site_pools": 1}


def test_a_server_that_is_gone_is_unavailable_and_keeps_the_password(database_url: str) -> None:
    gone = conninfo.make_conninfo(database_url, port="1", password="s3cret")

    with pytest.raises(Unavailable) as told:
        TimescaleSink(gone, "fleettwin").open()

    assert "s3cret" not in str(told.value)
    assert ":1/" in told.value.what


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("postgresql://u:s3cret@host@5/x", id="at-sign-in-password"),
        pytest.param("postgresql://u:s3cret@host:notaport/x", id="port-is-no-number"),
        pytest.param("s3cret", id="no-address-at-all"),
    ],
)
def test_an_address_that_cannot_be_read_is_not_shown(address: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        TimescaleSink(address, "fleettwin").open()

    assert "s3cret" not in str(told.value)


def test_delays_are_from_event_time_to_writing(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        row = select(look, "select extract(epoch from now())::float8")[0]
        now = int(row[0] * 1000)
        sink.write(RowBatch(sites=[site_state(tick=now - 60_000), site_state(tick=now - 600_000)]))
        found = delays(look, "fleettwin", Instant(now - 120_000))

        assert found.rows == 1
        assert found.p50 is not None
        assert 59 < found.p50 < 120
        assert delays(look, "fleettwin", Instant(now)).p50 is None
