"""A checkpoint is good for a catalogue that has every type it was made with, unchanged; types may be added."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.catalogue import AcceleratorType, Catalogue, catalogue_of
from models.errors import ConfigurationError
from tests.builders import CATALOGUE, T0, clock, frame, in_ledger, numbered, row
from twin.fleet import FleetMachine
from twin.offline import OfflineTwin
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules()
Machine = TelemetryMachine | FleetMachine


def site_machine(catalogue: Catalogue) -> TelemetryMachine:
    machine = TelemetryMachine(0, 1, RULES, catalogue)
    for one in numbered([frame([row("n", T0, type="t4")]), clock(T0 + 500)]):
        machine.fold(one)
    return machine


def fleet_machine(catalogue: Catalogue) -> FleetMachine:
    machine = FleetMachine(RULES, catalogue)
    twin = OfflineTwin(RULES, catalogue, 1)
    for one in numbered([frame([row("n", T0, type="t4")]), clock(T0 + 500)]):
        for entry in in_ledger(twin.fold(one)):
            machine.fold(entry)
    return machine


MACHINES = [pytest.param(site_machine, id="site-machine"), pytest.param(fleet_machine, id="fleet-machine")]


def with_types(*ids: str, **changed: AcceleratorType) -> Catalogue:
    return catalogue_of([changed.get(id_, CATALOGUE[id_]) for id_ in ids])


@pytest.mark.parametrize("made", MACHINES)
def test_a_type_that_is_added_changes_nothing_that_is_known(made: Callable[[Catalogue], Machine]) -> None:
    before = made(with_types("h100-sxm", "t4"))
    after = made(with_types("a10", "h100-sxm", "t4", "tpu-v5p"))
    after.restore(before.snapshot())

    assert known(after) == known(before)


@pytest.mark.parametrize("made", MACHINES)
def test_what_is_said_of_a_type_for_people_may_change(made: Callable[[Catalogue], Machine]) -> None:
    other = CATALOGUE["t4"].model_copy(update={"sources": ("another",), "name": "Tesla T4"})
    before, after = made(with_types("t4")), made(with_types("t4", t4=other))
    after.restore(before.snapshot())

    assert known(after) == known(before)


@pytest.mark.parametrize("made", MACHINES)
@pytest.mark.parametrize(
    ("catalogue", "said"),
    [
        pytest.param(with_types("h100-sxm"), "without t4", id="gone"),
        pytest.param(
            with_types("h100-sxm", "t4", t4=CATALOGUE["t4"].model_copy(update={"idle_watts": 11.0})),
            "other figures of t4",
            id="changed",
        ),
        pytest.param(
            with_types("h100-sxm", "t4", t4=CATALOGUE["t4"].model_copy(update={"counts_as_h100": False})),
            "other figures of t4",
            id="counted-otherwise",
        ),
    ],
)
def test_a_type_that_has_gone_or_changed_is_refused_with_the_setting(
    made: Callable[[Catalogue], Machine], catalogue: Catalogue, said: str
) -> None:
    packed = made(with_types("h100-sxm", "t4")).snapshot()
    taking = TelemetryMachine(0, 1, RULES, catalogue) if made is site_machine else FleetMachine(RULES, catalogue)

    with pytest.raises(ConfigurationError, match=said) as caught:
        taking.restore(packed)

    assert caught.value.setting == "FLEETTWIN_TWIN__CATALOGUE"


def known(machine: Machine) -> object:
    return machine.digests() if isinstance(machine, TelemetryMachine) else machine.digest()
