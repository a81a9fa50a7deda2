"""How far topics have become rows: noted with the rows, and held against where a batch goes on."""

from __future__ import annotations

import pytest

from infra.timescale.batch import RowBatch
from infra.timescale.positions import RowsMissing
from tests.infra.timescale_builders import T0, opened, select, site_state

pytestmark = pytest.mark.servers

PLACE = ("fleet.state.v1", 0)


def batch(second: int = 0) -> RowBatch:
    return RowBatch(sites=[site_state(tick=T0 + second * 1000)])


def test_a_batch_moves_the_position_on_with_its_rows(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.begin({PLACE: 7})
        sink.write(batch(0), {PLACE: (7, 10)})
        sink.write(batch(1), {PLACE: (10, 12)})

        assert sink.positions() == {PLACE: 12}
        assert select(look, "select count(*) from site_samples") == [(2,)]


def test_a_batch_that_comes_again_moves_nothing_back(database_url: str) -> None:
    with opened(database_url) as (sink, _):
        sink.begin({PLACE: 0})
        sink.write(batch(0), {PLACE: (0, 12)})
        sink.write(batch(0), {PLACE: (3, 8)})

        assert sink.positions() == {PLACE: 12}


def test_only_what_is_gone_from_kafka_moves_the_beginning(database_url: str) -> None:
    with opened(database_url) as (sink, _):
        sink.begin({PLACE: 5})
        sink.begin({PLACE: 3})
        before = sink.positions()
        sink.begin({PLACE: 9})

        assert (before, sink.positions()) == ({PLACE: 5}, {PLACE: 9})


@pytest.mark.parametrize("known", [{}, {PLACE: 4}, {("another", 0): 5}], ids=["nothing", "less", "another-topic"])
def test_a_batch_that_does_not_follow_on_what_is_there_is_not_written(
    known: dict[tuple[str, int], int], database_url: str
) -> None:
    with opened(database_url) as (sink, look):
        sink.begin(known)
        with pytest.raises(RowsMissing, match=r"partition 0 of fleet\.state\.v1: rows up to .*, read from 5 on"):
            sink.write(batch(), {PLACE: (5, 9)})

        assert sink.positions() == known
        assert select(look, "select count(*) from site_samples") == [(0,)]
