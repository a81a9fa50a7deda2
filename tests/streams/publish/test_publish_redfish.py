"""The Redfish source: which meter is the node's, which are beside it, sessions, and services in all moods."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from models.errors import ConfigurationError, Unavailable
from streams.publish.measures import MeterLevel, Sampled
from streams.publish.metering.connection import LARGEST_ANSWER
from streams.publish.options import SourceOptions, Target
from streams.publish.sources.redfish import RedfishSource, source_of
from tests.publish_builders import options, run, target
from tests.redfish_service import (
    USER,
    Mood,
    RedfishService,
    collection,
    controller,
    linked,
    metered,
    power_unit,
    redfish_service,
)

_T = TypeVar("_T")

ROOT = "/redfish/v1"
ONE_CHASSIS = {"self": {"EnvironmentMetrics": metered(6851.5, 3638)}}


def node(service: RedfishService, name: str = "n1") -> Target:
    return target(service.url, name, type="h100-sxm", installed=8)


def asking(service: RedfishService, folder: Path, *targets: Target, **said: Any) -> SourceOptions:
    """With the service's authority, user and password."""
    password = folder / "password"
    password.write_text(service.password or "unused")
    said = {"ca_file": service.authority, "user": USER, "password_file": password, **said}
    return options(*(targets or (node(service),)), **said)


def with_source(asked: SourceOptions, story: Callable[[RedfishSource], Awaitable[_T]]) -> _T:
    async def whole() -> _T:
        source = source_of(asked)
        try:
            return await story(source)
        finally:
            await source.close()

    return run(whole)


def sampled(asked: SourceOptions) -> Sampled:
    return with_source(asked, lambda source: source.sample())


def test_environment_metrics_are_the_nodes_watts_and_joules(tmp_path: Path) -> None:
    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service:
        said = sampled(asking(service, tmp_path))

    (measure,) = said.nodes
    assert (said.meters, said.failures) == ((), ())
    assert (measure.power_watts, measure.energy_joules) == (6851.5, 3638 * 3.6e6)
    assert (measure.component.type, measure.component.installed) == ("h100-sxm", 8)
    assert measure.accelerators == ()


def test_the_older_power_resource_counts_where_there_are_no_environment_metrics(tmp_path: Path) -> None:
    old = {"self": {"Power": {"PowerControl": [{"PowerConsumedWatts": 590}]}}}
    with redfish_service(tmp_path, controller(**old)) as service:
        (measure,) = sampled(asking(service, tmp_path)).nodes

    assert (measure.power_watts, measure.energy_joules) == (590, None)


def test_a_chassis_that_says_both_counts_once(tmp_path: Path) -> None:
    both = {
        "self": {"EnvironmentMetrics": metered(600, None), "Power": {"PowerControl": [{"PowerConsumedWatts": 590}]}}
    }
    with redfish_service(tmp_path, controller(**both)) as service:
        said = sampled(asking(service, tmp_path))

    assert ([one.power_watts for one in said.nodes], said.meters) == ([600], ())


def test_a_node_that_is_off_is_known_and_its_watts_are_not(tmp_path: Path) -> None:
    with redfish_service(tmp_path, controller(self={"EnvironmentMetrics": metered(None, None)})) as service:
        (measure,) = sampled(asking(service, tmp_path)).nodes

    assert (measure.power_watts, measure.missing) == (None, ("node_power_watts",))


@pytest.mark.parametrize("reading", [-1, True, "600", 9.3e18, [600]])
def test_a_reading_that_is_none_is_not_known(tmp_path: Path, reading: Any) -> None:
    with redfish_service(tmp_path, controller(self={"EnvironmentMetrics": metered(reading, None)})) as service:
        (measure,) = sampled(asking(service, tmp_path)).nodes

    assert measure.power_watts is None


def test_the_chassis_that_the_system_stands_in_is_the_nodes_and_others_are_meters(tmp_path: Path) -> None:
    several = {**ONE_CHASSIS, "rack": {"EnvironmentMetrics": metered(30_000, None)}}
    with redfish_service(tmp_path, controller(**several)) as service:
        said = sampled(asking(service, tmp_path))

    assert [one.power_watts for one in said.nodes] == [6851.5]
    (meter,) = said.meters
    assert (meter.meter, meter.level, meter.power_watts) == ("n1/Chassis/rack", MeterLevel.CHASSIS, 30_000)


SEVERAL_CONTROLS = {"self": {"Power": {"PowerControl": [{"PowerConsumedWatts": 590}, {"PowerConsumedWatts": 90}]}}}


def test_several_that_could_be_the_node_are_an_error_that_names_them(tmp_path: Path) -> None:
    with redfish_service(tmp_path, controller(**SEVERAL_CONTROLS)) as service:
        asked = asking(service, tmp_path)
        with pytest.raises(ConfigurationError) as error:
            with_source(asked, lambda source: source.discover())
        said = sampled(asked)

    power = f"{ROOT}/Chassis/self/Power#/PowerControl"
    assert str(error.value) == f"options.node_meter is None; expected one of {power}/0, {power}/1"
    assert said.nodes == ()
    assert [failure.why for failure in said.failures] == [str(error.value)]


@pytest.mark.parametrize("by_node", [False, True])
def test_the_configuration_says_which_is_the_node(tmp_path: Path, by_node: bool) -> None:
    chosen = f"{ROOT}/Chassis/self/Power#/PowerControl/0"
    with redfish_service(tmp_path, controller(**SEVERAL_CONTROLS)) as service:
        extra = {"node_meter": {"n1": chosen} if by_node else chosen}
        said = sampled(asking(service, tmp_path, extra=extra))

    assert [one.power_watts for one in said.nodes] == [590]
    assert [(one.meter, one.power_watts) for one in said.meters] == [("n1/Chassis/self/PowerControl/1", 90)]


def test_a_chassis_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path: Path) -> None:
    with (
        redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service,
        pytest.raises(ConfigurationError, match=r"is '/redfish/v1/Chassis/2'; expected one of .*/self/Environment"),
    ):
        with_source(
            asking(service, tmp_path, extra={"node_meter": f"{ROOT}/Chassis/2"}), lambda source: source.discover()
        )


def test_a_service_without_any_meter_is_a_named_failure(tmp_path: Path) -> None:
    with redfish_service(tmp_path, controller(self={})) as service:
        said = sampled(asking(service, tmp_path))

    assert (said.nodes, [failure.why for failure in said.failures]) == ((), ["none of its chassis meters power"])


def test_a_power_unit_is_metered_at_each_level_and_never_added_up(tmp_path: Path) -> None:
    with redfish_service(tmp_path, power_unit(outlets=3)) as service:
        said = sampled(asking(service, tmp_path, target(service.url, "pdu-a", meter=True, rack="r1")))

    assert (said.nodes, said.failures) == ((), ())
    assert {(one.meter, one.level.value, one.power_watts) for one in said.meters} == {
        ("pdu-a/RackPDUs/1", "pdu", 3000),
        ("pdu-a/RackPDUs/1/Mains/AC1/Line1ToNeutral", "phase", 1000),
        ("pdu-a/RackPDUs/1/Mains/AC1/Line2ToNeutral", "phase", 1000),
        ("pdu-a/RackPDUs/1/Mains/AC1/Line3ToNeutral", "phase", 1000),
        ("pdu-a/RackPDUs/1/Branches/A", "branch", 1400),
        ("pdu-a/RackPDUs/1/Branches/B", "branch", 1600),
        ("pdu-a/RackPDUs/1/Outlets/A1", "outlet", 1000),
        ("pdu-a/RackPDUs/1/Outlets/A2", "outlet", 1000),
        ("pdu-a/RackPDUs/1/Outlets/A3", "outlet", 1000),
    }
    assert {(one.site, one.rack) for one in said.meters} == {("memphis", "r1")}
    assert [one.energy_joules for one in said.meters if one.level is MeterLevel.PDU] == [56438 * 3.6e6]


def test_only_the_levels_that_are_wanted_are_asked_for(tmp_path: Path) -> None:
    with redfish_service(tmp_path, power_unit()) as service:
        unit = target(service.url, "pdu-a", meter=True)
        said = sampled(asking(service, tmp_path, unit, extra={"levels": ["pdu", "branch"]}))

    assert {one.level for one in said.meters} == {MeterLevel.PDU, MeterLevel.BRANCH}
    assert not any("Outlets" in path for _, path in service.asked)


def test_a_collection_may_be_in_pages(tmp_path: Path) -> None:
    resources = controller(**ONE_CHASSIS)
    first = f"{ROOT}/Chassis"
    resources[first] = {"Members": [], "Members@odata.nextLink": f"{first}?$skip=1"}
    resources[f"{first}?$skip=1"] = {**collection(f"{first}/self"), "Members@odata.nextLink": first}
    with redfish_service(tmp_path, resources) as service:
        assert len(sampled(asking(service, tmp_path)).nodes) == 1


def test_a_session_is_used_again_and_ended_at_the_end(tmp_path: Path) -> None:
    async def story(source: RedfishSource) -> int:
        for _ in range(3):
            assert len((await source.sample()).nodes) == 1
        return len(service.sessions)

    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service:
        assert with_source(asking(service, tmp_path), story) == 1
        assert (service.logins, service.sessions) == (1, set())
        assert service.gets(f"{ROOT}/Chassis/self/EnvironmentMetrics") == 4
        assert service.gets(f"{ROOT}/Chassis/self") == 1


def test_a_session_that_has_ended_is_renewed(tmp_path: Path) -> None:
    async def story(source: RedfishSource) -> Sampled:
        await source.sample()
        service.sessions.clear()
        return await source.sample()

    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service:
        said = with_source(asking(service, tmp_path), story)
        assert (len(said.nodes), said.failures, service.logins, service.sessions) == (1, (), 2, set())


def test_a_password_that_was_refused_is_not_tried_again_until_its_file_changes(tmp_path: Path) -> None:
    async def story(source: RedfishSource) -> Sampled:
        for _ in range(3):
            assert (await source.sample()).nodes == ()
        assert service.logins == 1
        (tmp_path / "password").write_text("secret-1")
        return await source.sample()

    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service:
        asked = asking(service, tmp_path)
        (tmp_path / "password").write_text("wrong")
        said = with_source(asked, story)

    assert (len(said.nodes), said.failures, service.logins) == (1, (), 2)


def test_a_password_that_changes_while_a_session_lasts_is_named_and_then_taken(tmp_path: Path) -> None:
    async def story(source: RedfishSource) -> tuple[Sampled, Sampled]:
        await source.sample()
        service.password = "secret-2"
        service.sessions.clear()
        away = await source.sample()
        (tmp_path / "password").write_text("secret-2")
        return away, await source.sample()

    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service:
        away, after = with_source(asking(service, tmp_path), story)

    assert (away.nodes, "rejected authentication" in away.failures[0].why) == ((), True)
    assert (len(after.nodes), after.failures) == (1, ())


def test_nobody_logs_in_where_no_user_is_configured(tmp_path: Path) -> None:
    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service:
        service.password = None
        said = sampled(asking(service, tmp_path, user=None, password_file=None))
        assert (len(said.nodes), service.logins) == (1, 0)


METRICS = f"{ROOT}/Chassis/self/EnvironmentMetrics"

MOODS = [
    pytest.param(Mood(status=500), "500", id="broken"),
    pytest.param(Mood(body=b"<html>"), "invalid JSON", id="page"),
    pytest.param(Mood(body=b"[1]"), "no JSON object", id="list"),
    pytest.param(Mood(body=b"[" * 200_000), METRICS, id="deep"),
    pytest.param(Mood(body=b" " * (LARGEST_ANSWER + 1)), "more than", id="large"),
    pytest.param(Mood(status=302, headers={"Location": "http://127.0.0.1:1/"}), "302", id="elsewhere"),
    pytest.param(Mood(hangs=True), "no answer within the time", id="hangs"),
    pytest.param(Mood(status=404), "no such resource", id="vanished"),
]


@pytest.mark.parametrize(("mood", "why"), MOODS)
def test_a_resource_that_fails_is_named_and_the_others_are_read(tmp_path: Path, mood: Mood, why: str) -> None:
    async def story(source: RedfishSource) -> Sampled:
        await source.sample()
        service.moods[METRICS] = mood
        return await source.sample()

    several = {**ONE_CHASSIS, "rack": {"EnvironmentMetrics": metered(30_000, None)}}
    with redfish_service(tmp_path, controller(**several)) as service:
        said = with_source(asking(service, tmp_path, timeout_seconds=2.0), story)

    assert (said.nodes, [one.power_watts for one in said.meters]) == ((), [30_000])
    (failure,) = said.failures
    assert why in failure.why
    assert failure.endpoint == f"{service.url} (n1)"


def test_a_service_that_hangs_keeps_the_others_not_back(tmp_path: Path) -> None:
    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service, redfish_service(tmp_path, {}) as hanging:
        service.moods = {}
        hanging.moods[ROOT] = Mood(hangs=True)
        asked = asking(service, tmp_path, node(service), node(hanging, "n2"), timeout_seconds=1.0, verify_tls=False)
        began = time.monotonic()
        said = sampled(asked)

    assert [one.component.identity.node for one in said.nodes] == ["n1"]
    assert [failure.endpoint for failure in said.failures] == [f"{hanging.url} (n2)"]
    assert time.monotonic() - began < 10


def test_looking_through_a_slow_service_goes_on_from_sample_to_sample(tmp_path: Path) -> None:
    ready = threading.Event()

    async def story(source: RedfishSource) -> tuple[Sampled, Sampled]:
        slow = await source.sample()
        ready.set()
        return slow, await source.sample()

    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service:
        service.moods[f"{ROOT}/Chassis"] = Mood(until=ready)
        other = target("https://127.0.0.1:1", "n2", type="h100-sxm", installed=8)
        asked = asking(service, tmp_path, node(service), other, timeout_seconds=4.0, extra={"concurrency": 1})
        slow, after = with_source(asked, story)
        assert service.gets(f"{ROOT}/Chassis") == 1

    assert slow.nodes == ()
    assert "still looking through it" in slow.failures[0].why
    assert len(after.nodes) == 1


def test_a_part_that_cannot_be_looked_at_is_named_and_the_rest_is_found(tmp_path: Path) -> None:
    resources = controller(**ONE_CHASSIS)
    resources[ROOT]["PowerEquipment"] = linked(f"{ROOT}/PowerEquipment")
    with redfish_service(tmp_path, resources) as service:
        service.moods[f"{ROOT}/PowerEquipment"] = Mood(status=503)
        said = sampled(asking(service, tmp_path))

    assert len(said.nodes) == 1
    assert [failure.why for failure in said.failures] == [f"{ROOT}/PowerEquipment: 503"]


def test_a_resource_that_has_vanished_makes_the_source_look_again(tmp_path: Path) -> None:
    async def story(source: RedfishSource) -> None:
        await source.sample()
        service.resources |= controller(self={"Power": {"PowerControl": [{"PowerConsumedWatts": 590}]}})
        del service.resources[METRICS]
        said = await source.sample()
        while not said.nodes:
            await asyncio.sleep(0)
            said = await source.sample()
        assert (said.nodes[0].power_watts, said.failures) == (590, ())

    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service:
        with_source(asking(service, tmp_path), story)


def test_discovering_nothing_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    asked = options(target("https://127.0.0.1:1", type="h100-sxm", installed=8))

    with pytest.raises(Unavailable, match=r"https://127\.0\.0\.1:1 \(n1\): /redfish/v1: Redfish request failed"):
        with_source(asked, lambda source: source.discover())


def test_an_authority_that_nobody_trusts_is_a_failure(tmp_path: Path) -> None:
    with redfish_service(tmp_path, controller(**ONE_CHASSIS)) as service:
        said = sampled(asking(service, tmp_path, ca_file=tmp_path / "stranger.pem"))

    assert (said.nodes, service.logins) == ((), 0)
    assert "certificate" in said.failures[0].why.lower()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param({"url": "https://bmc/redfish/v1"}, "without a path", id="path"),
        pytest.param({"url": "http://bmc"}, "https, as a password", id="plain-with-password"),
        pytest.param({"type": None}, "targets: n1: type is None", id="no-type"),
        pytest.param({"installed": None}, "targets: n1: installed is None", id="no-count"),
    ],
)
def test_a_target_that_cannot_be_is_refused(said: dict[str, Any], message: str) -> None:
    complete = {"url": "https://bmc", "type": "h100-sxm", "installed": 8, **said}

    with pytest.raises(ConfigurationError, match=message):
        source_of(options(target(complete.pop("url"), **complete), user=USER))


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"node_meter": {"n2": "/x"}}, r"options\.node_meter is 'n2'; expected one of n1"),
        ({"levels": ["rack"]}, r"options\.levels\.0 is 'rack'"),
        ({"levels": []}, r"options\.levels is \[\]"),
        ({"chassis": "1"}, r"options\.chassis is '1'"),
    ],
)
def test_a_wrong_option_is_named(extra: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        source_of(options(target("https://bmc", type="h100-sxm", installed=8), extra=extra))
