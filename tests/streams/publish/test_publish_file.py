"""The file source: what a script wrote is told once, and what it did not write anew is a failure with its name."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.errors import ConfigurationError, Unavailable
from models.instants import instant_of
from streams.publish.measures import AcceleratorMeasure, Identity, NodeMeasure, Sampled, Throttle
from streams.publish.options import Target
from streams.publish.registry import chosen_source
from streams.publish.sources.file import FileSource, source_of
from tests.builders import CATALOGUE, SITE, T0
from tests.publish_fakes import N1, file_target, options

NOW = T0 / 1000
ONE = {"type": "h100-sxm", "power_watts": 5000.0}


def write(path: Path, *objects: Any, at: float = NOW, as_lines: bool = False) -> None:
    """Write a file as it would have been written then."""
    text = b"\n".join(map(orjson.dumps, objects)) if as_lines or len(objects) == 1 else orjson.dumps(objects)
    path.write_bytes(text)
    os.utime(path, (at, at))


def source(*paths: Path, clock: float = NOW, identity: Identity = N1, **said: Any) -> FileSource:
    return FileSource([file_target(path, identity=identity, **said) for path in paths], CATALOGUE, 60.0, lambda: clock)


def sampled(asked: FileSource) -> Sampled:
    return asyncio.run(asked.sample())


def only(asked: FileSource) -> NodeMeasure:
    found = sampled(asked)
    assert found.failures == ()
    (measure,) = found.nodes
    return measure


def test_an_object_is_a_node(tmp_path: Path) -> None:
    accelerator = {
        "power_watts": 600.0,
        "energy_joules": 1e9,
        "utilization": 0.9,
        "sm_active": 0.8,
        "memory_used_bytes": 10**9,
        "temperature_celsius": 61.0,
        "fault": "none",
        "xid": 13,
        "throttled": ["power"],
    }
    said = {"node": "n7", "rack": "r7", "allocated": 1, "energy_joules": 5e9, "at": "2026-11-22T17:00:00.250Z"}
    write(tmp_path / "f.json", {**ONE, **said, "accelerators": [accelerator]})

    measure = only(source(tmp_path / "f.json"))

    assert measure.component.identity == Identity(SITE, "n7", "r7")
    assert (measure.component.type, measure.component.installed) == ("h100-sxm", 1)
    at = instant_of(datetime(2026, 11, 22, 17, 0, 0, 250_000, UTC))
    assert (measure.at, measure.power_watts, measure.energy_joules, measure.allocated) == (at, 5000.0, 5e9, 1)
    assert measure.accelerators == (
        AcceleratorMeasure(600.0, 1e9, 0.9, 0.8, 10**9, 61.0, "none", 13, frozenset({Throttle.POWER})),
    )


def test_what_an_object_does_not_say_the_target_does(tmp_path: Path) -> None:
    write(tmp_path / "f.json", {"power_watts": 1.0})

    measure = only(source(tmp_path / "f.json", type="a100-sxm", installed=4))

    assert (measure.component.identity, measure.component.type, measure.component.installed) == (N1, "a100-sxm", 4)
    assert measure.at == T0


def test_accelerators_are_counted_or_else_as_many_as_the_type_usually_has(tmp_path: Path) -> None:
    write(tmp_path / "f.json", ONE)

    assert only(source(tmp_path / "f.json")).component.installed == 8


@pytest.mark.parametrize("as_lines", [False, True])
def test_a_file_may_hold_many(tmp_path: Path, as_lines: bool) -> None:
    write(tmp_path / "f.json", *({**ONE, "node": f"n{number}"} for number in range(3)), as_lines=as_lines)

    found = sampled(source(tmp_path / "f.json"))

    assert [one.component.identity.node for one in found.nodes] == ["n0", "n1", "n2"]


def test_a_file_that_was_not_written_anew_is_a_failure_and_no_repeat(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    asked = source(path, clock=NOW + 1)
    write(path, ONE)
    first, second = sampled(asked), sampled(asked)
    write(path, ONE, at=NOW + 1)
    third = sampled(asked)

    assert [len(one.nodes) for one in (first, second, third)] == [1, 0, 1]
    assert [(one.endpoint, one.why) for one in second.failures] == [
        (str(path), "it has not been written since the beat before")
    ]


def test_a_file_that_is_old_is_a_failure(tmp_path: Path) -> None:
    write(tmp_path / "f.json", ONE, at=NOW - 61)

    found = sampled(source(tmp_path / "f.json"))

    assert found.nodes == ()
    assert [one.why for one in found.failures] == ["it was written 61 s ago; 60 s are allowed"]


def test_a_file_that_is_missing_keeps_the_others_not_back(tmp_path: Path) -> None:
    write(tmp_path / "f.json", ONE)

    found = sampled(source(tmp_path / "none.json", tmp_path / "f.json"))

    assert len(found.nodes) == 1
    assert [(one.endpoint, one.why) for one in found.failures] == [
        (str(tmp_path / "none.json"), "No such file or directory")
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "there is no object in it", id="nothing"),
        pytest.param(b"[]", "there is no object in it", id="an-empty-list"),
        pytest.param(b'{"type": "h100', "line 1: the whole: Invalid JSON", id="half-written"),
        pytest.param(b'{"type": "h100-sxm", "watts": 5}', "the object: watts: Extra inputs", id="an-unknown-field"),
        pytest.param(b'{"type": "h100-sxm", "power_watts": "x"}', "the object: power_watts", id="no-number"),
        pytest.param(b'{"power_watts": 5}', "type is None; expected an id of the catalogue", id="no-type"),
        pytest.param(b'{"type": "h100-smx"}', "unknown_type", id="no-such-type"),
        pytest.param(b'{"type": "h100-sxm", "at": "2026-11-22T17:00:00"}', "the object: at", id="a-time-without-zone"),
        pytest.param(b"[1]", "object 1", id="no-object"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "f.json").write_bytes(content)
    os.utime(tmp_path / "f.json", (NOW, NOW))

    found = sampled(source(tmp_path / "f.json"))

    assert found.nodes == ()
    assert why in found.failures[0].why


def test_a_bad_line_keeps_the_others_not_back(tmp_path: Path) -> None:
    lines = [orjson.dumps({**ONE, "node": "n0"}), b"{", orjson.dumps({**ONE, "node": "n2"})]
    (tmp_path / "f.json").write_bytes(b"\n".join(lines))
    os.utime(tmp_path / "f.json", (NOW, NOW))

    found = sampled(source(tmp_path / "f.json"))

    assert [one.component.identity.node for one in found.nodes] == ["n0", "n2"]
    assert found.failures[0].why.startswith("line 2: ")


def test_a_node_that_nobody_names_is_no_node(tmp_path: Path) -> None:
    write(tmp_path / "f.json", ONE)

    found = sampled(source(tmp_path / "f.json", identity=Identity(SITE, "")))

    assert found.nodes == ()
    assert "node is None; expected a name there, or --node" in found.failures[0].why


def test_what_is_found_is_what_is_in_the_files(tmp_path: Path) -> None:
    write(tmp_path / "f.json", ONE)

    (found,) = asyncio.run(source(tmp_path / "f.json").discover())

    assert (found.identity, found.type) == (N1, "h100-sxm")


def test_a_file_that_cannot_be_read_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file or directory"):
        asyncio.run(source(tmp_path / "none.json").discover())


def test_the_source_needs_a_path_and_knows_its_options(tmp_path: Path) -> None:
    assert chosen_source("file", options(file_target(tmp_path / "f.json"), extra={"max_age_seconds": 5})).name == "file"
    with pytest.raises(ConfigurationError, match="--target is None; expected the path of the file"):
        source_of(options(Target(N1)))
    with pytest.raises(ConfigurationError, match=r"options\.age is 5; expected Extra inputs"):
        source_of(options(file_target(tmp_path / "f.json"), extra={"age": 5}))
