"""The source of AMD GPUs, on a library without ROCm; what it calls, held against the installed module's text."""

import ast
import asyncio
from ctypes.util import find_library
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from models.errors import ConfigurationError, Unavailable
from streams.publish.amd.driver import AmdDriver
from streams.publish.amd.library import AmdSmi, Status
from streams.publish.measures import AcceleratorMeasure, Component, Failure, NodeMeasure, Sampled, Throttle
from streams.publish.own_machine import OwnMachine
from streams.publish.sources.amdsmi import source_of
from tests.streams.publish.fake_amdsmi import (
    AmdSmiLibraryException,
    AmdSmiParameterException,
    FakeAmdSmi,
    FakeGpu,
    PageStatus,
)
from tests.streams.publish.options import HERE, options_here

JOULES = 2_000_000_000 * 15.300000190734863 / 1_000_000
"""Of a counter that stands at two thousand million steps of a C float's microjoules."""


def source(amdsmi: FakeAmdSmi, type_: str | None = None) -> OwnMachine:
    return OwnMachine("amdsmi", AmdDriver(amdsmi), options_here(type_))


def sampled(amdsmi: FakeAmdSmi) -> Sampled:
    return asyncio.run(source(amdsmi).sample())


def node(amdsmi: FakeAmdSmi) -> NodeMeasure:
    (only,) = sampled(amdsmi).nodes
    return only


def first(gpu: FakeGpu) -> AcceleratorMeasure:
    return node(FakeAmdSmi(gpu)).accelerators[0]


def test_a_gpu_is_measured_in_canonical_units() -> None:
    assert first(FakeGpu("a")) == AcceleratorMeasure(
        power_watts=512,
        energy_joules=JOULES,
        utilization=0.93,
        memory_used_bytes=65_535 * 1024 * 1024,
        temperature_celsius=71,
        throttled=frozenset(),
    )


def test_the_node_is_found_with_its_type() -> None:
    found = asyncio.run(source(FakeAmdSmi(FakeGpu("a"), FakeGpu("b"))).discover())

    assert found == [Component(HERE, type="mi300x", installed=2, about="2 x AMD Instinct MI300X, driver 6.12.12")]


def test_partitions_of_a_gpu_are_one_accelerator() -> None:
    parts = [FakeGpu(uuid, partition=number, celsius=50 + number) for uuid in "ab" for number in range(4)]

    told = node(FakeAmdSmi(*parts))

    assert told.component.installed == 2
    assert [one.temperature_celsius for one in told.accelerators] == [50, 50]


@pytest.mark.parametrize(
    "gpu",
    [
        pytest.param(FakeGpu("a", partition="N/A"), id="not-available"),
        pytest.param(
            FakeGpu("a", refuses={"amdsmi_get_gpu_kfd_info": AmdSmiLibraryException(Status.NOT_SUPPORTED)}),
            id="not-supported",
        ),
    ],
)
def test_a_gpu_that_knows_no_partitions_is_whole(gpu: FakeGpu) -> None:
    assert node(FakeAmdSmi(gpu)).component.installed == 1


def test_a_gpu_before_mi300_says_its_mean_power() -> None:
    assert first(FakeGpu("a", current_watts="N/A", average_watts=301)).power_watts == 301


@pytest.mark.parametrize(
    ("gpu", "measure"),
    [
        pytest.param(FakeGpu("a", current_watts="N/A"), "power_watts", id="power-not-available"),
        pytest.param(FakeGpu("a", current_watts=0xFFFF, average_watts=0xFFFFFFFF), "power_watts", id="power-greatest"),
        pytest.param(FakeGpu("a", energy_steps=2**64 - 1), "energy_joules", id="energy-greatest"),
        pytest.param(FakeGpu("a", gfx_percent="N/A"), "utilization", id="activity-not-available"),
        pytest.param(FakeGpu("a", gfx_percent=0xFFFFFFFF), "utilization", id="activity-greatest"),
        pytest.param(FakeGpu("a", gfx_percent=101), "utilization", id="activity-beyond-all"),
        pytest.param(FakeGpu("a", used_mebibytes=0xFFFFFFFF), "memory_used_bytes", id="memory-greatest"),
        pytest.param(FakeGpu("a", celsius=0xFFFF), "temperature_celsius", id="temperature-greatest"),
        pytest.param(
            FakeGpu(
                "a",
                violations=dict.fromkeys(
                    [f"active_{name}" for name in ("prochot_thrm", "ppt_pwr", "socket_thrm", "vr_thrm", "hbm_thrm")],
                    "N/A",
                ),
            ),
            "throttled",
            id="violations-not-available",
        ),
    ],
)
def test_a_value_that_stands_for_none_is_missing(gpu: FakeGpu, measure: str) -> None:
    told = node(FakeAmdSmi(gpu))

    assert getattr(told.accelerators[0], measure) is None
    assert told.missing == (measure,)


@pytest.mark.parametrize(
    ("call", "measure"),
    [
        ("amdsmi_get_power_info", "power_watts"),
        ("amdsmi_get_energy_count", "energy_joules"),
        ("amdsmi_get_gpu_activity", "utilization"),
        ("amdsmi_get_gpu_vram_usage", "memory_used_bytes"),
        ("amdsmi_get_temp_metric", "temperature_celsius"),
        ("amdsmi_get_violation_status", "throttled"),
    ],
)
@pytest.mark.parametrize("status", [Status.NOT_SUPPORTED, Status.NO_PERM])
def test_what_is_refused_is_missing_by_name_and_nothing_else(call: str, measure: str, status: Status) -> None:
    told = sampled(FakeAmdSmi(FakeGpu("a", refuses={call: AmdSmiLibraryException(status)})))

    assert told.failures == ()
    assert told.nodes[0].missing == (measure,)
    assert told.nodes[0].accelerators == (replace(first(FakeGpu("a")), **{measure: None}),)


def test_bad_pages_that_may_not_be_asked_for_are_missing_and_no_fault() -> None:
    told = node(FakeAmdSmi(FakeGpu("a", refuses={"amdsmi_get_gpu_bad_page_info": AmdSmiLibraryException(2)})))

    assert told.missing == ("bad_pages",)
    assert told.accelerators[0].fault is None


@pytest.mark.parametrize(
    ("error", "why"),
    [
        pytest.param(AmdSmiLibraryException(43), "utilization: unknown", id="of-the-library"),
        pytest.param(AmdSmiParameterException("wrong handle"), "utilization: wrong handle", id="of-the-module"),
    ],
)
def test_an_error_that_should_not_be_is_a_failure_as_well(error: Exception, why: str) -> None:
    told = sampled(FakeAmdSmi(FakeGpu("a"), FakeGpu("b", refuses={"amdsmi_get_gpu_activity": error})))

    assert told.nodes[0].missing == ("utilization",)
    assert told.failures == (Failure("AMD SMI: GPU 1", why),)


@pytest.mark.parametrize(
    ("violations", "throttled"),
    [
        pytest.param({"active_ppt_pwr": True}, {Throttle.POWER}, id="package-power"),
        pytest.param({"active_prochot_thrm": True}, {Throttle.THERMAL}, id="processor-hot"),
        pytest.param({"active_socket_thrm": True}, {Throttle.THERMAL}, id="socket-hot"),
        pytest.param({"active_vr_thrm": True}, {Throttle.THERMAL}, id="regulator-hot"),
        pytest.param({"active_hbm_thrm": True}, {Throttle.THERMAL}, id="memory-hot"),
        pytest.param({"active_gfx_clk_below_host_limit": True}, set(), id="a-consequence-and-no-cause"),
        pytest.param({"active_vr_thrm": "N/A", "active_ppt_pwr": True}, {Throttle.POWER}, id="one-not-available"),
    ],
)
def test_violations_are_told_as_throttling(violations: dict[str, bool | str], throttled: set[Throttle]) -> None:
    assert first(FakeGpu("a", violations=violations)).throttled == frozenset(throttled)


@pytest.mark.parametrize("status", [Status.NOT_FOUND, Status.DRM_ERROR, Status.AMDGPU_RESTART_ERR])
def test_a_gpu_that_is_lost_has_a_fault_and_keeps_its_place(status: Status) -> None:
    lost = FakeGpu("b")
    asked = source(FakeAmdSmi(FakeGpu("a"), lost, FakeGpu("c")))

    async def before_and_after() -> NodeMeasure:
        await asked.sample()
        lost.refuses["*"] = AmdSmiLibraryException(status)
        (only,) = (await asked.sample()).nodes
        return only

    told = asyncio.run(before_and_after())
    assert told.component.installed == 3
    assert told.accelerators[1] == AcceleratorMeasure(fault=f"AMDSMI_STATUS_{status.name} - in words")
    assert [one.fault for one in (told.accelerators[0], told.accelerators[2])] == [None, None]


def test_a_gpu_of_which_every_call_fails_has_a_fault() -> None:
    gpu = FakeGpu("a")
    asked = source(FakeAmdSmi(gpu))

    async def before_and_after() -> NodeMeasure:
        await asked.sample()
        gpu.refuses["*"] = AmdSmiLibraryException(12)
        (only,) = (await asked.sample()).nodes
        return only

    assert asyncio.run(before_and_after()).accelerators == (AcceleratorMeasure(fault="power_watts: unknown"),)


def test_a_gpu_of_which_nothing_is_supported_has_no_fault() -> None:
    gpu = FakeGpu("a")
    asked = source(FakeAmdSmi(gpu))

    async def before_and_after() -> Sampled:
        await asked.sample()
        gpu.refuses["*"] = AmdSmiLibraryException(Status.NOT_SUPPORTED)
        return await asked.sample()

    told = asyncio.run(before_and_after())
    assert told.nodes[0].accelerators == (AcceleratorMeasure(),)
    assert told.failures == ()


@pytest.mark.parametrize(
    ("pages", "fault"),
    [
        pytest.param([PageStatus.RESERVED] * 3, None, id="out-of-use"),
        pytest.param([PageStatus.PENDING], None, id="soon-out-of-use"),
        pytest.param(
            [PageStatus.RESERVED, PageStatus.UNRESERVABLE],
            "bad pages of memory that cannot be taken out of use: 1",
            id="still-in-use",
        ),
    ],
)
def test_bad_memory_is_a_fault_where_it_stays_in_use(pages: list[PageStatus], fault: str | None) -> None:
    assert first(FakeGpu("a", pages=pages)).fault == fault


def test_after_the_driver_has_been_restarted_it_is_initialised_again_and_counters_begin_anew() -> None:
    amdsmi = FakeAmdSmi(FakeGpu("a"))
    asked = source(amdsmi)

    async def through_a_restart() -> list[Sampled]:
        told = [await asked.sample()]
        amdsmi.restart_driver()
        return [*told, await asked.sample(), await asked.sample()]

    before, during, after = asyncio.run(through_a_restart())
    assert during == Sampled(failures=(Failure("AMD SMI", "AMDSMI_STATUS_NOT_INIT - in words"),))
    assert amdsmi.initialised == 2
    assert [told.nodes[0].accelerators[0].energy_joules for told in (before, after)] == [JOULES, 0]


@pytest.mark.parametrize(
    ("status", "way_out"),
    [
        pytest.param(Status.DRIVER_NOT_LOADED, "modprobe amdgpu", id="driver"),
        pytest.param(Status.NO_PERM, "group", id="permission"),
        pytest.param(Status.DRM_ERROR, "amd-smi", id="anything"),
    ],
)
def test_without_a_driver_the_way_out_is_told(status: Status, way_out: str) -> None:
    amdsmi = FakeAmdSmi(FakeGpu("a"))
    amdsmi.refuses["amdsmi_init"] = AmdSmiLibraryException(status)

    with pytest.raises(Unavailable) as unavailable:
        asyncio.run(source(amdsmi).discover())

    assert way_out in unavailable.value.way_out


def test_an_unknown_model_is_refused_unless_a_type_is_configured() -> None:
    amdsmi = FakeAmdSmi(FakeGpu("a", name="AMD Instinct MI210"))

    with pytest.raises(ConfigurationError, match="--type is 'AMD Instinct MI210'"):
        asyncio.run(source(amdsmi).discover())
    (component,) = asyncio.run(source(amdsmi, type_="mi300x").discover())

    assert component.type == "mi300x"


def test_without_rocm_the_way_out_is_told_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    if find_library("amd_smi") is not None:
        pytest.skip("this machine has ROCm's library")

    with pytest.raises(Unavailable) as unavailable:
        source_of(options_here())

    assert "libamd_smi.so" in unavailable.value.why
    assert "amd-smi-lib" in unavailable.value.way_out
    assert capsys.readouterr().out == ""


def _installed(module: str) -> ast.Module:
    """A module of `amdsmi` as it is written: it cannot be imported without ROCm."""
    package = find_spec("amdsmi")
    assert package is not None
    assert package.submodule_search_locations is not None
    return ast.parse((Path(package.submodule_search_locations[0]) / f"{module}.py").read_text("utf-8"))


_PORT = [name for name in vars(AmdSmi) if name.lower().startswith("amdsmi")]


def test_the_module_exports_all_that_is_called() -> None:
    exported = {
        alias.name for node in _installed("__init__").body if isinstance(node, ast.ImportFrom) for alias in node.names
    }

    assert set(_PORT) <= exported
    assert set(_PORT) <= set(dir(FakeAmdSmi))


def test_its_statuses_are_the_library_s() -> None:
    numbers = {
        target.id: node.value.value
        for node in _installed("amdsmi_wrapper").body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    assert {status.name: numbers[f"AMDSMI_STATUS_{status.name}"] for status in Status} == {
        status.name: status.value for status in Status
    }


@pytest.mark.parametrize(
    ("definition", "names"),
    [
        ("amdsmi_get_power_info", {"current_socket_power", "average_socket_power"}),
        ("amdsmi_get_energy_count", {"energy_accumulator", "counter_resolution"}),
        ("amdsmi_get_gpu_activity", {"gfx_activity"}),
        ("amdsmi_get_gpu_vram_usage", {"vram_used"}),
        ("amdsmi_get_gpu_kfd_info", {"current_partition_id"}),
        ("amdsmi_get_gpu_asic_info", {"market_name"}),
        ("amdsmi_get_gpu_driver_info", {"driver_version"}),
        ("_format_bad_page_info", {"status"}),
        (
            "amdsmi_get_violation_status",
            {"active_ppt_pwr", "active_prochot_thrm", "active_socket_thrm", "active_vr_thrm", "active_hbm_thrm"},
        ),
        ("AmdSmiTemperatureType", {"HOTSPOT"}),
        ("AmdSmiTemperatureMetric", {"CURRENT"}),
        ("AmdSmiMemoryPageStatus", {"UNRESERVABLE"}),
    ],
)
def test_its_answers_have_the_names_that_are_read(definition: str, names: set[str]) -> None:
    (found,) = [
        node
        for node in _installed("amdsmi_interface").body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == definition
    ]
    written = {node.value for node in ast.walk(found) if isinstance(node, ast.Constant)}
    written |= {node.id for node in ast.walk(found) if isinstance(node, ast.Name)}

    assert names <= written
