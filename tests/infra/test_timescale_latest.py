"""What is newest of each node and of each episode, on a real TimescaleDB, with several writers too."""

from __future__ import annotations

import threading

import pytest

from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection, connect
from infra.timescale.copying import contents_of, copy_straight
from infra.timescale.latest import follow_episodes
from infra.timescale.sink import TimescaleSink
from models.instants import moment_of
from models.node_frame import NodeFrame
from models.shortage import Status
from tests.infra.timescale_builders import (
    T0,
    nodes,
    opened,
    select,
    shortage,
    waits_for_lock,
)

pytestmark = pytest.mark.servers


def test_the_newest_row_of_each_node_is_kept_apart(database_url: str) -> None:
    newer = [nodes(tick=T0 + 10_000, names=["n1"]), nodes(tick=T0 + 10_000, names=["n4"], part=1)]
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(nodes=[nodes(names=["n1", "n2"]), *newer]))
        sink.write(RowBatch(nodes=[nodes(tick=T0 - 10_000, names=["n1", "n3"])]))

        assert select(look, "select node, time from node_latest order by node") == [
            ("n1", moment_of(T0 + 10_000)),
            ("n2", moment_of(T0)),
            ("n3", moment_of(T0 - 10_000)),
            ("n4", moment_of(T0 + 10_000)),
        ]


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([nodes(names=["n2"], part=1)], id="in-the-same-frame"),
        pytest.param([nodes(tick=T0 + 10_000, names=["n2"])], id="in-a-frame-between"),
        pytest.param([nodes(tick=T0 - 10_000, names=["n2"])], id="in-an-earlier-frame"),
    ],
)
def test_nodes_that_another_writer_has_told_of_are_not_forgotten(database_url: str, others: list[NodeFrame]) -> None:
    with opened(database_url) as (sink, look), TimescaleSink(database_url, "fleettwin") as other:
        sink.write(RowBatch(nodes=[nodes(names=["n1"])]))
        other.write(RowBatch(nodes=others))
        sink.write(RowBatch(nodes=[nodes(tick=T0 + 20_000, names=["n1"])]))

        assert select(look, "select node, time from node_latest order by node") == [
            ("n1", moment_of(T0 + 20_000)),
            ("n2", moment_of(others[0].tick)),
        ]


def test_a_node_that_comes_back_is_told_of_once(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        for tick, names in enumerate((["n1", "n2"], ["n1"], ["n1", "n2"])):
            sink.write(RowBatch(nodes=[nodes(tick=T0 + tick * 10_000, names=names)]))

        assert select(look, "select node, time from node_latest order by node") == [
            ("n1", moment_of(T0 + 20_000)),
            ("n2", moment_of(T0 + 20_000)),
        ]


def test_nodes_that_are_absent_are_looked_for_one_by_one(database_url: str) -> None:
    """And not each of them in the whole frame: with some thousand nodes and absent ones that takes minutes."""
    everybody = [f"n{number:03}" for number in range(400)]
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(nodes=[nodes(tick=T0, names=everybody)]))
        sink.write(RowBatch(nodes=[nodes(tick=T0 + 10_000, names=everybody[:200])]))
        before = rows_read(look, sink)
        sink.write(RowBatch(nodes=[nodes(tick=T0 + 20_000, names=everybody[:200])]))

        assert select(look, "select count(*) from node_absent") == [(200,)]
        assert rows_read(look, sink) - before < 10 * len(everybody)


def rows_read(look: Connection, sink: TimescaleSink) -> int:
    """How many rows of node samples were read so far; a session says so when it ends."""
    sink.close()
    application = "fleettwin store"
    while look.execute("select from pg_stat_activity where application_name = %s", [application]).fetchone():
        pass
    ((rows,),) = select(
        look,
        "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int8 from pg_stat_user_tables"
        " where relid in (select format('%I.%I', chunk_schema, chunk_name)::regclass"
        " from timescaledb_information.chunks where hypertable_name = 'node_samples')",
    )
    return int(rows)


def test_an_episode_shows_its_newest_event(database_url: str) -> None:
    opening = shortage(0)
    resolving = shortage(2, tick=T0 + 9000, status=Status.RESOLVED, missing=0)
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(shortages=[resolving]))
        sink.write(RowBatch(shortages=[shortage(1, tick=T0 + 4000), opening]))

        assert select(look, "select sequence, status, missing_accelerators, opened_at, resolved_at from shortages") == [
            (2, "resolved", 0, moment_of(T0), moment_of(T0 + 9000))
        ]


def test_two_writers_of_an_episode_do_not_overlook_each_other(database_url: str) -> None:
    first, second = RowBatch(shortages=[shortage(0)]), RowBatch(shortages=[shortage(1, tick=T0 + 1000)])
    with opened(database_url) as (sink, look), connect(database_url, "test") as other:
        writing = threading.Thread(target=sink.write, args=[first])
        with other.transaction():
            for content in contents_of(second):
                copy_straight(other, "fleettwin", content)
            follow_episodes(other, "fleettwin", {shortage().id})
            writing.start()
            waited = waits_for_lock(look, writing)
        writing.join()

        assert waited
        assert select(look, "select sequence, opened_at from shortages") == [(1, moment_of(T0))]
