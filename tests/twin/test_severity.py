"""Severity: by share, by size, and by age."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.shortage import Accelerators, Binding, Constraint, Power, Resource, Scope, ScopeKind, Severity, Unplaced
from twin.planner import Amount, Shortfall
from twin.rules import Rules
from twin.severity import LEVELS, severity_of, worse

HOUR = 3_600_000
RULES = Rules(escalate_after=HOUR)
ACCELERATORS, POWER, UNPLACED = Accelerators(types=()), Power(), Unplaced(types=())


def short(resource: Resource, missing: Amount, demanded: Amount) -> Shortfall:
    scope = Scope(kind=ScopeKind.PROJECT, name="p")
    binding = Binding(constraint=Constraint.ACCELERATORS, sites=(), types=(), summary="")
    return Shortfall(scope, resource, demanded, missing, binding, ())


def severity(resource: Resource, missing: Amount, demanded: Amount, lasted: int = 0, rules: Rules = RULES) -> Severity:
    return severity_of(short(resource, missing, demanded), lasted, rules)


def some(count: int) -> Amount:
    """So many H100."""
    return Amount(count, count * 1000, count * 600_000)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        pytest.param(99, Severity.INFO, id="below-a-tenth"),
        pytest.param(100, Severity.WARNING, id="a-tenth"),
        pytest.param(499, Severity.WARNING, id="below-a-half"),
        pytest.param(500, Severity.CRITICAL, id="a-half"),
    ],
)
def test_the_share_that_is_missing_counts(missing: int, expected: Severity) -> None:
    assert severity(ACCELERATORS, some(missing), some(1000)) is expected
    assert severity(POWER, Amount(milliwatts=missing), Amount(milliwatts=1000)) is expected


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        pytest.param(Amount(999, 999_999), Severity.INFO, id="just-below-1000-h100e"),
        pytest.param(Amount(500, 1_000_000), Severity.WARNING, id="1000-h100e-of-fewer-accelerators"),
        pytest.param(Amount(500, 9_999_999), Severity.WARNING, id="just-below-10000-h100e"),
        pytest.param(Amount(5000, 10_000_000), Severity.CRITICAL, id="10000-h100e"),
        pytest.param(Amount(5000, 0), Severity.INFO, id="accelerators-that-no-h100-compares-to"),
        pytest.param(Amount(5000, 0, 10**10), Severity.CRITICAL, id="but-they-draw-10-megawatts"),
    ],
)
def test_much_is_bad_however_small_its_share(missing: Amount, expected: Severity) -> None:
    assert severity(ACCELERATORS, missing, Amount(10**7, 10**10, 10**13)) is expected


@pytest.mark.parametrize(
    ("milliwatts", "expected"),
    [
        pytest.param(10**9 - 1, Severity.INFO, id="just-below-a-megawatt"),
        pytest.param(10**9, Severity.WARNING, id="a-megawatt"),
        pytest.param(10**10 - 1, Severity.WARNING, id="just-below-ten"),
        pytest.param(10**10, Severity.CRITICAL, id="ten"),
    ],
)
def test_so_are_many_megawatts(milliwatts: int, expected: Severity) -> None:
    assert severity(POWER, Amount(milliwatts=milliwatts), Amount(milliwatts=10**12)) is expected


def test_what_waits_for_a_decision_alone_is_a_warning_at_most_unless_it_is_much_or_old() -> None:
    assert severity(UNPLACED, some(8), some(8)) is Severity.WARNING
    assert severity(UNPLACED, some(8), some(8), HOUR) is Severity.CRITICAL
    assert severity(UNPLACED, some(10_000), some(10_000)) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("missing", "young", "old"),
    [
        pytest.param(1, Severity.INFO, Severity.WARNING, id="info"),
        pytest.param(100, Severity.WARNING, Severity.CRITICAL, id="warning"),
        pytest.param(900, Severity.CRITICAL, Severity.CRITICAL, id="critical-is-the-worst"),
    ],
)
def test_age_makes_it_one_step_worse_and_no_more(missing: int, young: Severity, old: Severity) -> None:
    ages = {HOUR - 1: young, HOUR: old, 100 * HOUR: old}

    assert {age: severity(ACCELERATORS, some(missing), some(1000), age) for age in ages} == ages


def test_with_no_age_set_it_never_counts() -> None:
    never = Rules(escalate_after=0)

    assert severity(ACCELERATORS, some(1), some(1000), 0, never) is Severity.INFO
    assert severity(ACCELERATORS, some(1), some(1000), 1000 * HOUR, never) is Severity.INFO


def test_what_demands_nothing_is_no_share_of_it() -> None:
    assert severity(ACCELERATORS, Amount(), Amount()) is Severity.INFO


AMOUNTS = st.builds(Amount, st.integers(0, 10**6), st.integers(0, 10**8), st.integers(0, 10**11))


@given(st.sampled_from([ACCELERATORS, POWER, UNPLACED]), AMOUNTS, AMOUNTS, st.integers(0, 2 * HOUR))
def test_more_of_the_same_missing_for_longer_is_never_less_severe(
    resource: Resource, missing: Amount, more: Amount, lasted: int
) -> None:
    whole = Amount(
        missing.accelerators + more.accelerators,
        missing.milli_h100e + more.milli_h100e,
        missing.milliwatts + more.milliwatts,
    )
    before = severity(resource, missing, whole, lasted)

    assert not worse(before, than=severity(resource, whole, whole, lasted))
    assert not worse(before, than=severity(resource, missing, whole, lasted + HOUR))


def test_the_levels_are_in_order() -> None:
    assert [worse(one, than=other) for one in LEVELS for other in LEVELS] == [
        *(False, False, False),
        *(True, False, False),
        *(True, True, False),
    ]
