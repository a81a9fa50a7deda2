"""The words of shortages: short, the same everywhere, and harmless whatever people wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.instants import moment_of
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Constraint,
    OneMore,
    Power,
    Quantity,
    Resource,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Unit,
    Unplaced,
    Visibility,
)
from models.wording import amount, binds, briefly, missing, one_more, printable, where, who, why

AT = moment_of(1_800_000_000_000)


def binding(constraint: Constraint, *together_with: Constraint, sites: tuple[str, ...] = ("memphis",)) -> Binding:
    return Binding(constraint=constraint, together_with=together_with, sites=sites, types=(), summary="in a sentence")


def shortage(resource: Resource, first: Binding, *also: Binding, **short: float) -> Shortage:
    return Shortage(
        id="i",
        sequence=0,
        change=Change.OPENED,
        status=Status.OPEN,
        severity=Severity.INFO,
        scope=Scope(kind=ScopeKind.PROJECT, name="atlas"),
        resource=resource,
        demanded=Quantity(),
        served=Quantity(),
        missing=Quantity.model_validate(short),
        binding=first,
        also=also,
        since=AT,
        at=AT,
        projects=(),
    )


ANY = Accelerators(types=())


@pytest.mark.parametrize(
    ("resource", "short", "said", "in_brief"),
    [
        pytest.param(ANY, {"accelerators": 1234}, "1,234 accelerators", "1,234 short: power", id="accelerators"),
        pytest.param(Power(), {"watts": 2.5e6}, "2.50 MW", "2.50 MW short: power", id="power"),
        pytest.param(Visibility(), {"accelerators": 64}, "64 unknown", "64 unknown: power", id="visibility"),
        pytest.param(
            Unplaced(types=()),
            {"accelerators": 400},
            "400 could run and are not granted",
            "400 could run and are not granted",
            id="unplaced",
        ),
    ],
)
def test_how_much_is_short_is_said_in_the_measure_that_counts(
    resource: Resource, short: dict[str, float], said: str, in_brief: str
) -> None:
    one = shortage(resource, binding(Constraint.POWER), **short)

    assert missing(one) == said
    assert briefly(one) == in_brief


@pytest.mark.parametrize("constraint", Constraint)
def test_every_constraint_has_its_word(constraint: Constraint) -> None:
    assert binds(binding(constraint)) == constraint.value.replace("_", " ")


def test_what_must_give_way_together_is_named_together() -> None:
    both = binding(Constraint.WHOLE_NODES, Constraint.POWER, Constraint.QUOTA)

    assert binds(both) == "whole nodes with power and quota"


@pytest.mark.parametrize(
    ("unit", "said", "in_brief"),
    [
        pytest.param(Unit.ACCELERATOR, "+1 accelerator serves 1,000", "+1 accelerator: 1,000", id="accelerator"),
        pytest.param(Unit.WHOLE_NODE, "+1 whole node serves 1,000", "+1 node: 1,000", id="whole-node"),
        pytest.param(Unit.MEGAWATT, "+1 MW serves 1,000", "+1 MW: 1,000", id="megawatt"),
    ],
)
def test_what_one_more_brings_is_said(unit: Unit, said: str, in_brief: str) -> None:
    more = OneMore(unit=unit, serves=1000)
    one = shortage(ANY, binding(Constraint.POWER).model_copy(update={"one_more": more}), accelerators=8)

    assert one_more(more) == said
    assert why(one) == f"power at memphis; {said}"
    assert briefly(one) == f"8 short: power, {in_brief}"


def test_what_else_binds_is_said_once_each() -> None:
    quota, power = binding(Constraint.QUOTA), binding(Constraint.POWER, sites=("lulea",))
    one = shortage(ANY, binding(Constraint.WHOLE_NODES), quota, power, quota)

    assert why(one) == "whole nodes at memphis; also quota, power"


@pytest.mark.parametrize(
    ("sites", "said"),
    [
        pytest.param((), "", id="anywhere"),
        pytest.param(("a", "b"), " at a or b", id="few"),
        pytest.param(("a", "b", "c", "d"), " at 4 sites", id="many-are-counted"),
    ],
)
def test_sites_are_named_while_they_are_few(sites: tuple[str, ...], said: str) -> None:
    assert where(binding(Constraint.POWER, sites=sites)) == said


def test_the_fleet_needs_no_name() -> None:
    assert who(Scope(kind=ScopeKind.FLEET, name="fleet")) == "fleet"
    assert who(Scope(kind=ScopeKind.SITE, name="fleet")) == "site fleet"


def test_amounts_leave_out_what_is_zero() -> None:
    assert amount(Quantity(accelerators=64, h100e=64.0, watts=80_000.0)) == "64 accelerators, 64 H100e, 0.08 MW"
    assert amount(Quantity()) == "nothing"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_becomes_one_line_that_does_not_act(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(text) == text or not text.isprintable()


def test_what_hides_is_spelt_out() -> None:
    assert printable("a\x1b[2Jb\nc\u202ed\u200be") == r"a\x1b[2Jb\nc\u202ed\u200be"
