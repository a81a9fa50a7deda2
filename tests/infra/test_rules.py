"""The machines' rules come from the settings, each from its own."""

from __future__ import annotations

from dataclasses import fields

import pytest

from infra.rules import rules_of
from infra.settings import TwinSettings
from twin.rules import Rules

FRACTIONS = {"idle_below", "unknown_above"}
NAMES = [field.name for field in fields(Rules)]


def test_without_a_word_the_rules_are_their_own_defaults() -> None:
    assert rules_of(TwinSettings()) == Rules()


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_a_setting_that_changes_it_alone(name: str) -> None:
    said = {name: 0.5} if name in FRACTIONS else {f"{name}_milliseconds": 7000}
    changed = rules_of(TwinSettings.model_validate(said))

    assert getattr(changed, name) == (500_000 if name in FRACTIONS else 7000)
    assert {other for other in NAMES if getattr(changed, other) != getattr(Rules(), other)} == {name}
