"""Differences between results: the first one is named by its place, and an event is known again by what it says."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.replay.verdict import as_object, in_words, judge
from infra.settings import Settings
from models.topics import DEMAND, SITES, TELEMETRY
from streams.logs.parts import LogPart
from streams.oracle.differing import Problem, differences
from streams.oracle.golden import PARTS, GoldenResult, made_from
from streams.oracle.offline import fold_log
from tests.builders import T0, clock, demand, facts, frame, numbered, row
from tests.log_builders import write_log

FILE = Path("golden.json")


def records() -> list[Any]:
    """Half a minute of a site where demand is short, changes, and is gone."""
    out = [
        facts(at=T0 - 1000),
        demand("a", T0, wanted=99),
        demand("b", T0 + 2000, wanted=40, project="q", types=["h100-sxm"]),
    ]
    out += [demand("a", T0 + 12_000, wanted=60), demand("a", T0 + 18_000, wanted=0)]
    for second in range(30):
        at = T0 + second * 1000
        out += [frame([row("a", at, power_watts=1000.0, allocated=0), row("b", at, power_watts=-1.0)])]
        out += [clock(at + 500, topic) for topic in (TELEMETRY, SITES, DEMAND)]
    return list(numbered(out))


@pytest.fixture(scope="module")
def folded() -> dict[str, Any]:
    """What they come to, as a file has it."""
    result: dict[str, Any] = orjson.loads(orjson.dumps(fold_log(records(), {TELEMETRY: 1}, Settings()).summary()))
    return result


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = write_log(tmp_path_factory.mktemp("log") / "made.log", [])
    return made_from(Settings(), LogPart(path))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Every leaf: its path as a difference tells it, and the way to it."""
    parts: Mapping[Any, Any] = value if isinstance(value, dict) else dict(enumerate(value))
    for name, part in parts.items():
        named = f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}" if path else name
        if isinstance(part, dict | list) and part:
            yield from ((leaf, [name, *way]) for leaf, way in leaves(part, named))
        elif not isinstance(part, dict | list):
            yield named, [name]


def changed(value: Any) -> Any:
    """Another value of its type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value or ''}x"


def with_change(result: Mapping[str, Any], way: list[Any]) -> dict[str, Any]:
    other = copy.deepcopy(dict(result))
    inside: Any = other
    for name in way[:-1]:
        inside = inside[name]
    inside[way[-1]] = changed(inside[way[-1]])
    return other


def expected(result: Mapping[str, Any]) -> GoldenResult:
    return GoldenResult.model_validate(dict(result))


def test_there_is_something_to_change(folded: dict[str, Any]) -> None:
    assert len(folded["shortages"]) >= 8
    assert {event["change"] for event in folded["shortages"]} == {"opened", "updated", "resolved"}


def test_a_result_is_equal_to_itself(folded: dict[str, Any], origin: dict[str, Any]) -> None:
    verdict = judge(FILE, expected({**folded, "made_from": origin}), folded, origin)

    assert (verdict.equal, verdict.origins, verdict.compared) == (True, (), PARTS)


@given(data=st.data())
def test_whichever_leaf_of_a_golden_result_is_changed_the_difference_names_it(
    folded: dict[str, Any], data: st.DataObject
) -> None:
    path, way = data.draw(st.sampled_from(list(leaves(folded))))
    golden = with_change(folded, way)

    verdict = judge(FILE, expected(golden), folded, {})

    assert verdict.first is not None
    assert (verdict.first.path, verdict.differences) == (path, 1)
    assert path.partition(".")[2] in in_words(verdict)[-1]


def test_whichever_leaf_of_what_it_was_made_from_is_changed_is_told_first(
    folded: dict[str, Any], origin: dict[str, Any]
) -> None:
    for path, way in leaves({"made_from": origin}):
        golden = with_change({**folded, "made_from": origin, "dead_letters": 7}, way)

        verdict = judge(FILE, expected(golden), folded, origin)

        assert path in [place for place, _ in verdict.origins]
        assert in_words(verdict)[0].startswith("golden.json was made ")
        assert verdict.first is not None
        assert verdict.first.path == "dead_letters"


def test_what_it_was_made_from_alone_makes_no_difference(folded: dict[str, Any], origin: dict[str, Any]) -> None:
    golden = expected({**folded, "made_from": {**origin, "rules": {**origin["rules"], "open_after": 1}}})

    verdict = judge(FILE, golden, folded, origin)

    assert verdict.equal
    assert in_words(verdict)[0] == "golden.json was made under other rules: open_after was 1 and is 5000"


def test_a_catalogue_may_have_more_types_than_it_had(folded: dict[str, Any], origin: dict[str, Any]) -> None:
    fewer = {**origin, "catalogue": dict(list(origin["catalogue"].items())[:3])}

    assert judge(FILE, expected({**folded, "made_from": fewer}), folded, origin).origins == ()


def test_an_event_that_is_missing_is_named_as_such(folded: dict[str, Any]) -> None:
    for place, event in enumerate(folded["shortages"]):
        found = {**folded, "shortages": [one for one in folded["shortages"] if one is not event]}

        (difference,) = differences(expected(folded).parts(), found)

        assert (difference.path, difference.problem) == (f"shortages[{place}]", Problem.MISSING)
        assert difference.event == event
        assert difference.order == event["at"]


def test_an_additional_event_is_named_as_such(folded: dict[str, Any]) -> None:
    for place, event in enumerate(folded["shortages"]):
        golden = {**folded, "shortages": [one for one in folded["shortages"] if one is not event]}

        verdict = judge(FILE, expected(golden), folded, {})

        assert verdict.first is not None
        assert (verdict.first.path, verdict.first.problem) == (f"shortages[{place}]", Problem.ADDITIONAL)
        assert in_words(verdict)[-1].endswith("additional, not expected")
        assert event["at"] in in_words(verdict)[-1]


def test_an_event_that_comes_later_under_another_id_is_the_same_event(folded: dict[str, Any]) -> None:
    golden = copy.deepcopy(folded)
    golden["shortages"][1] |= {"id": "other", "since": "2027-01-15T08:00:02Z", "at": "2027-01-15T08:00:07Z"}

    first = next(differences(expected(golden).parts(), folded))

    assert first.path in ("shortages[1].since", "shortages[1].at")


def test_the_earliest_of_several_differences_is_told_first(folded: dict[str, Any]) -> None:
    golden = copy.deepcopy(folded)
    golden["shortages"][5]["severity"] = "none"
    del golden["shortages"][2]
    golden["state_hash"] = "other"

    found = list(differences(expected(golden).parts(), folded))

    assert [one.path for one in found] == ["shortages[2]", "shortages[4].severity", "state_hash"]


def test_no_events_at_all_are_as_many_missing_ones(folded: dict[str, Any]) -> None:
    verdict = judge(FILE, expected(folded), {**folded, "shortages": []}, {})

    assert verdict.differences == len(folded["shortages"])
    assert in_words(verdict)[-1].endswith("expected, and is missing")


def test_many_events_are_compared_to_the_last(folded: dict[str, Any]) -> None:
    many = [{**folded["shortages"][0], "sequence": place, "severity": str(place * 7)} for place in range(900)]
    other = copy.deepcopy(many)
    other[2]["at"], other[899]["at"] = "never", "never"

    found = list(differences({"shortages": many}, {"shortages": other}))

    assert [one.path for one in found] == ["shortages[2].at", "shortages[899].at"]


@pytest.mark.parametrize("name", PARTS)
def test_a_part_alone_is_compared_alone(folded: dict[str, Any], name: str) -> None:
    found = {**dict.fromkeys(PARTS), name: folded[name]}

    verdict = judge(FILE, expected({name: folded[name]}), found, {})

    assert (verdict.equal, verdict.compared) == (True, (name,))
    assert as_object(verdict)["not_compared"] == [part for part in PARTS if part != name]


def test_fields_that_a_newer_version_adds_to_an_event_are_passed_over(folded: dict[str, Any]) -> None:
    found = {"shortages": [{**event, "foresight": {"p50": 1}} for event in folded["shortages"]]}

    assert judge(FILE, expected({"shortages": folded["shortages"]}), found, {}).equal


def test_a_site_too_many_is_a_difference() -> None:
    (difference,) = differences({"energy_joules": {"memphis": 1}}, {"energy_joules": {"memphis": 1, "lulea": 2}})

    assert (difference.path, difference.problem, difference.found) == ("energy_joules.lulea", Problem.ADDITIONAL, 2)


def test_a_number_and_a_word_of_truth_are_not_the_same() -> None:
    assert [one.path for one in differences({"samples": {"site": 1}}, {"samples": {"site": True}})] == ["samples.site"]
