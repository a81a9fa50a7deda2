"""Tenants: what each has of what it deserves, what it waits for, and what it has borrowed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.state import TenantState
from models.tenant import Quota
from tests.builders import T0, wants
from twin.demand import DemandBook
from twin.tenants import Claiming, overcommitted, tenant_states

H100, H200, A100 = "h100-sxm", "h200-sxm", "a100-sxm"


def quota(*types: str, **said: int) -> Quota:
    return Quota(types=types, **said)


def asks(granted: int, pending: int = 0, *types: str, demand: str = "d", tenant: str | None = "t") -> Any:
    return wants(demand, granted + pending, granted=granted, types=types, tenant=tenant)


def state(demands: Sequence[Any], *quotas: Quota) -> TenantState:
    """The one tenant there is."""
    (one,) = tenant_states(demands, {"t": quotas} if quotas else {}, {})
    return one


def parts(one: TenantState) -> tuple[int | None, int | None, int | None]:
    return one.used, one.starved, one.borrowing


@pytest.mark.parametrize(
    ("granted", "pending", "expected"),
    [
        pytest.param(0, 0, (0, 0, 0), id="asks-for-nothing"),
        pytest.param(4, 3, (4, 3, 0), id="waits-within-what-it-deserves"),
        pytest.param(8, 5, (8, 2, 0), id="waits-for-more-than-it-deserves"),
        pytest.param(10, 5, (10, 0, 0), id="has-just-what-it-deserves"),
        pytest.param(12, 5, (10, 0, 2), id="has-borrowed"),
    ],
)
def test_a_quota_of_ten_is_used_starved_of_and_exceeded(
    granted: int, pending: int, expected: tuple[int, int, int]
) -> None:
    one = state([asks(granted, pending)], quota(deserved=10, limit=20))

    assert parts(one) == expected
    assert (one.deserved, one.limit, one.wanted, one.granted, one.pending) == (
        10,
        20,
        granted + pending,
        granted,
        pending,
    )


@pytest.mark.parametrize(
    ("quotas", "deserved", "limit"),
    [
        pytest.param((), None, None, id="no-quota"),
        pytest.param((quota(limit=5),), None, 5, id="a-limit-alone"),
        pytest.param((quota(deserved=5),), 5, None, id="no-limit"),
        pytest.param((quota(H100, deserved=0),), 0, None, id="nothing-deserved-is-known"),
        pytest.param((quota(H100, deserved=5, limit=6), quota(A100, deserved=7, limit=8)), 12, 14, id="sums"),
    ],
)
def test_what_no_quota_tells_is_unknown(quotas: tuple[Quota, ...], deserved: int | None, limit: int | None) -> None:
    one = state([asks(3, 1, H100)], *quotas)

    assert (one.deserved, one.limit) == (deserved, limit)
    assert [part is None for part in parts(one)] == [deserved is None] * 3


@pytest.mark.parametrize(
    ("demands", "quotas", "expected"),
    [
        pytest.param(
            [asks(10, 0, H100), asks(0, 4, A100, demand="e")],
            [quota(H100, deserved=6), quota(A100, deserved=6)],
            (6, 4, 4),
            id="what-it-borrows-of-one-type-does-not-count-for-another",
        ),
        pytest.param(
            [asks(15, 9, H100)], [quota(H100, deserved=10), quota(deserved=8)], (15, 3, 0), id="the-typed-quota-first"
        ),
        pytest.param(
            [asks(15, 0, H100), asks(4, 4, A100, demand="e")],
            [quota(deserved=8), quota(H100, deserved=10)],
            (18, 0, 1),
            id="and-the-rest-shares-the-untyped-one",
        ),
        pytest.param([asks(5, 5, H100, A100)], [quota(H100, deserved=9)], (0, 0, 5), id="it-may-be-served-elsewhere"),
        pytest.param([asks(5, 5)], [quota(H100, deserved=9)], (0, 0, 5), id="any-type-counts-towards-no-typed-quota"),
        pytest.param(
            [asks(5, 5, H100)], [quota(H100, deserved=7), quota(H100, H200, limit=9)], (5, 2, 0), id="limits-take-none"
        ),
        pytest.param(
            [asks(10, 0, A100, demand="a"), asks(5, 0, H100, demand="b")],
            [quota(A100, H100, deserved=10), quota(A100, H200, deserved=10)],
            (15, 0, 0),
            id="first-what-no-other-quota-may-take",
        ),
        pytest.param(
            [asks(10, 0, H100, demand="a"), asks(10, 0, H200, demand="b")],
            [quota(A100, H100, H200, deserved=10), quota(H100, deserved=10), quota(H200, deserved=0)],
            (20, 0, 0),
            id="the-quota-of-fewer-types-first",
        ),
        pytest.param(
            [asks(10, 0, H100, demand="a"), asks(10, 10, H100, demand="b")],
            [quota(H100, deserved=15), quota(deserved=9)],
            (20, 4, 0),
            id="what-is-granted-before-what-is-pending",
        ),
    ],
)
def test_an_accelerator_counts_in_one_quota(
    demands: list[Any], quotas: list[Quota], expected: tuple[int, int, int]
) -> None:
    assert parts(state(demands, *quotas)) == expected
    assert parts(state(demands[::-1], *quotas[::-1])) == expected


QUOTAS = st.lists(
    st.tuples(st.sets(st.sampled_from((H100, H200, A100))).map(lambda some: tuple(sorted(some))), st.integers(0, 30)),
    unique_by=lambda share: share[0],
    min_size=1,
    max_size=4,
)
DEMANDS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.sets(st.sampled_from((H100, H200, A100)))), max_size=6
)


@settings(max_examples=300, deadline=None)
@given(shares=QUOTAS, asked=DEMANDS, random=st.randoms(use_true_random=False))
def test_nothing_is_counted_twice_and_no_order_shows(
    shares: list[tuple[tuple[str, ...], int]], asked: list[tuple[int, int, set[str]]], random: Random
) -> None:
    quotas = [quota(*types, deserved=deserved) for types, deserved in shares]
    demands = [
        asks(granted, pending, *random.sample(sorted(types), len(types)), demand=f"d{place}")
        for place, (granted, pending, types) in enumerate(asked)
    ]
    one = state(demands, *quotas)
    used, starved, borrowing = (part or 0 for part in parts(one))

    assert one == state(random.sample(demands, len(demands)), *random.sample(quotas, len(quotas)))
    assert used + borrowing == one.granted == sum(granted for granted, _, _ in asked)
    assert used + starved <= (one.deserved or 0)
    assert 0 <= starved <= one.pending
    if len(quotas) == 1:
        mine = [demand for demand in demands if quotas[0].counts(demand.types)]
        granted, pending = (
            sum(demand.granted for demand in mine),
            sum(demand.wanted - demand.granted for demand in mine),
        )
        deserved = one.deserved or 0
        assert (used, starved) == (min(granted, deserved), min(pending, max(deserved - granted, 0)))


def test_a_tenant_shows_with_a_demand_or_with_quotas_and_all_stand_by_name() -> None:
    demands = [asks(1, 2, tenant="b"), asks(3, 0, demand="e", tenant="c"), asks(9, 9, demand="f", tenant=None)]
    states = tenant_states(demands, {"z": (quota(limit=1),), "a": (quota(deserved=1),)}, {"d": 1, "f": 5})

    assert [(one.tenant, one.granted, one.servable) for one in states] == [
        ("a", 0, 0),
        ("b", 1, 1),
        ("c", 3, 0),
        ("z", 0, 0),
    ]


@pytest.mark.parametrize(
    ("quotas", "beyond"),
    [
        pytest.param({}, 0, id="nobody-deserves-anything"),
        pytest.param({"a": [quota(deserved=60)], "b": [quota(H100, deserved=40)]}, 0, id="all-there-are"),
        pytest.param({"a": [quota(deserved=61)], "b": [quota(H100, deserved=40)]}, 1, id="one-more"),
        pytest.param({"a": [quota(limit=1000)]}, 0, id="a-limit-promises-nothing"),
        pytest.param({"a": [quota(H200, deserved=70)]}, 10, id="of-one-type"),
        pytest.param({"a": [quota(H200, deserved=50)], "b": [quota(H200, deserved=30)]}, 20, id="of-two-tenants"),
        pytest.param({"a": [quota(H100, H200, deserved=70)], "b": [quota(H200, deserved=50)]}, 20, id="of-two-types"),
        pytest.param({"a": [quota("cs-3", deserved=5)]}, 5, id="of-a-type-that-is-not-there"),
    ],
)
def test_quotas_beyond_what_there_is_are_told_where_most_are_missing(
    quotas: dict[str, list[Quota]], beyond: int
) -> None:
    there = {H100: 40, H200: 60}

    assert overcommitted({tenant: tuple(some) for tenant, some in quotas.items()}, there) == beyond


def test_claims_are_worked_out_again_only_when_what_they_follow_from_has_changed() -> None:
    book, claiming = DemandBook(), Claiming()
    book.apply(asks(4, 3))
    first = claiming.claims(book.at(T0), book.quotas, {"d": 2}, {H100: 8})

    assert claiming.claims(book.at(T0 + 1), book.quotas, {"d": 2}, {H100: 8}) is first
    assert (first.demands, first.wanted, first.granted, first.servable) == (1, 7, 4, 2)
    assert claiming.claims(book.at(T0), book.quotas, {"d": 3}, {H100: 8}).servable == 3
    assert claiming.claims(book.at(T0), {"t": (quota(deserved=9),)}, {}, {H100: 8}).overcommitted == 1
    assert claiming.claims(book.at(T0), {"t": (quota(deserved=9),)}, {}, {H100: 9}).overcommitted == 0
    book.apply(asks(1, demand="e"))
    assert claiming.claims(book.at(T0), book.quotas, {}, {}).demands == 2
