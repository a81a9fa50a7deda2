"""The source of NVIDIA GPUs, on a library without a driver."""

import asyncio
import inspect
import threading
import time
from collections import deque
from dataclasses import replace

import pynvml
import pytest

from models.errors import ConfigurationError, Unavailable
from streams.publish.devices import Devices
from streams.publish.measures import AcceleratorMeasure, Component, Failure, NodeMeasure, Sampled, Throttle
from streams.publish.nvidia.driver import NvidiaDriver
from streams.publish.nvidia.library import Nvml
from streams.publish.own_machine import OwnMachine
from streams.publish.sources.nvml import source_of
from tests.streams.publish.fake_nvml import FakeGpu, FakeNvml
from tests.streams.publish.options import HERE, options_here


def source(nvml: FakeNvml, type_: str | None = None, installed: int | None = None, timeout: float = 20.0) -> OwnMachine:
    return OwnMachine("nvml", NvidiaDriver(nvml), options_here(type_, installed, timeout))


def sampled(nvml: FakeNvml) -> Sampled:
    return asyncio.run(source(nvml).sample())


def node(nvml: FakeNvml) -> NodeMeasure:
    (only,) = sampled(nvml).nodes
    return only


def first(nvml: FakeNvml) -> AcceleratorMeasure:
    return node(nvml).accelerators[0]


def test_a_gpu_is_measured_in_canonical_units() -> None:
    assert first(FakeNvml(FakeGpu("a"))) == AcceleratorMeasure(
        power_watts=412.345,
        energy_joules=5000.25,
        utilization=0.87,
        memory_used_bytes=30 * 2**30,
        temperature_celsius=61,
        throttled=frozenset(),
    )


def test_the_node_is_found_with_its_type_and_what_people_ask_of_it() -> None:
    nvml = FakeNvml(FakeGpu("a"), FakeGpu("b"))

    found = asyncio.run(source(nvml).discover())

    assert found == [Component(HERE, type="h200-sxm", installed=2, about="2 x NVIDIA H200, driver 580.95.05")]


def test_gpus_are_in_the_order_of_nvml() -> None:
    nvml = FakeNvml(FakeGpu("a", celsius=40), FakeGpu("b", celsius=50), FakeGpu("c", celsius=60))

    assert [one.temperature_celsius for one in node(nvml).accelerators] == [40, 50, 60]


def test_the_measure_has_the_time_at_which_it_was_asked_for() -> None:
    before = time.time_ns() // 1_000_000
    at = node(FakeNvml(FakeGpu("a"))).at

    assert before <= at <= time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    ("call", "measure", "instead"),
    [
        pytest.param("POWER_INSTANT", "power_watts", 400.0, id="power-of-a-gpu-without-instant-power"),
        pytest.param("nvmlDeviceGetTemperatureV", "temperature_celsius", 61, id="temperature-of-an-old-driver"),
        pytest.param("nvmlDeviceGetMemoryInfo_v2", "memory_used_bytes", 30 * 2**30 + 600 * 2**20, id="memory-v1"),
        pytest.param("nvmlDeviceGetCurrentClocksEventReasons", "throttled", frozenset(), id="reasons-by-the-old-name"),
        pytest.param("nvmlDeviceGetMigMode", "utilization", 0.87, id="a-gpu-that-cannot-be-cut"),
    ],
)
@pytest.mark.parametrize("code", [pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND])
def test_what_is_not_there_is_asked_for_in_the_other_way(call: str, measure: str, instead: object, code: int) -> None:
    nvml = FakeNvml(FakeGpu("a", refuses={call: code}))

    assert getattr(first(nvml), measure) == instead
    assert node(nvml).missing == ()


@pytest.mark.parametrize(
    ("calls", "measure"),
    [
        pytest.param(("POWER_INSTANT", "nvmlDeviceGetPowerUsage"), "power_watts", id="power"),
        pytest.param(("nvmlDeviceGetTotalEnergyConsumption",), "energy_joules", id="energy"),
        pytest.param(("nvmlDeviceGetUtilizationRates",), "utilization", id="utilisation"),
        pytest.param(("nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetMemoryInfo"), "memory_used_bytes", id="memory"),
        pytest.param(("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"), "temperature_celsius", id="heat"),
        pytest.param(
            ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"),
            "throttled",
            id="throttling",
        ),
        pytest.param(("nvmlDeviceRegisterEvents",), "xid", id="events"),
        pytest.param(("nvmlEventSetWait",), "xid", id="events-later"),
    ],
)
@pytest.mark.parametrize("code", [pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_NO_PERMISSION])
def test_what_is_refused_is_missing_by_name_and_nothing_else(calls: tuple[str, ...], measure: str, code: int) -> None:
    nvml = FakeNvml(FakeGpu("a", refuses=dict.fromkeys(calls, code)))

    told = sampled(nvml)

    assert told.failures == ()
    assert told.nodes[0].missing == (measure,)
    assert told.nodes[0].accelerators == (replace(first(FakeNvml(FakeGpu("a"))), **{measure: None}),)


def test_what_two_gpus_lack_is_named_once() -> None:
    lacking = {"nvmlDeviceGetTotalEnergyConsumption": pynvml.NVML_ERROR_NOT_SUPPORTED}

    assert node(FakeNvml(FakeGpu("a", refuses=lacking), FakeGpu("b", refuses=lacking))).missing == ("energy_joules",)


def test_an_error_that_should_not_be_is_a_failure_as_well() -> None:
    refuses = {"nvmlDeviceGetUtilizationRates": pynvml.NVML_ERROR_UNKNOWN}

    told = sampled(FakeNvml(FakeGpu("a"), FakeGpu("b", refuses=refuses)))

    assert told.nodes[0].missing == ("utilization",)
    assert told.failures == (Failure("NVML: GPU 1", "utilization: Unknown Error"),)


@pytest.mark.parametrize(
    ("gpu", "measure"),
    [
        pytest.param(
            FakeGpu("a", instant_milliwatts=2**32 - 1, mean_milliwatts=2**32 - 1), "power_watts", id="power-32-bit"
        ),
        pytest.param(FakeGpu("a", millijoules=2**64 - 1), "energy_joules", id="energy-64-bit"),
        pytest.param(FakeGpu("a", busy_percent=2**32 - 1), "utilization", id="utilisation-32-bit"),
    ],
)
def test_a_value_that_stands_for_none_is_missing(gpu: FakeGpu, measure: str) -> None:
    told = node(FakeNvml(gpu))

    assert getattr(told.accelerators[0], measure) is None
    assert told.missing == (measure,)


def test_a_gpu_cut_into_instances_has_no_utilisation_and_not_zero() -> None:
    told = node(FakeNvml(FakeGpu("a", mig=True, busy_percent=0)))

    assert told.accelerators[0].utilization is None
    assert told.accelerators[0].power_watts == 412.345
    assert told.missing == ("utilization",)


@pytest.mark.parametrize(
    ("reasons", "throttled"),
    [
        pytest.param(pynvml.nvmlClocksEventReasonGpuIdle, set(), id="idle"),
        pytest.param(pynvml.nvmlClocksEventReasonApplicationsClocksSetting, set(), id="clocks-set-by-the-user"),
        pytest.param(pynvml.nvmlClocksEventReasonSwPowerCap, {Throttle.POWER}, id="power-limit"),
        pytest.param(pynvml.nvmlClocksEventReasonSwThermalSlowdown, {Throttle.THERMAL}, id="heat-by-software"),
        pytest.param(pynvml.nvmlClocksEventReasonSyncBoost, {Throttle.SYNC}, id="sync"),
        pytest.param(pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown, {Throttle.HARDWARE}, id="power-brake"),
        pytest.param(pynvml.nvmlClocksEventReasonHwSlowdown, {Throttle.HARDWARE}, id="slowdown-of-another-cause"),
        pytest.param(
            pynvml.nvmlClocksEventReasonHwSlowdown | pynvml.nvmlClocksEventReasonHwThermalSlowdown,
            {Throttle.THERMAL},
            id="slowdown-by-heat-is-heat-alone",
        ),
        pytest.param(
            pynvml.nvmlClocksEventReasonSwPowerCap | pynvml.nvmlClocksEventReasonSwThermalSlowdown,
            {Throttle.POWER, Throttle.THERMAL},
            id="two-at-once",
        ),
    ],
)
def test_reasons_of_clocks_are_told_as_throttling(reasons: int, throttled: set[Throttle]) -> None:
    assert first(FakeNvml(FakeGpu("a", reasons=reasons))).throttled == frozenset(throttled)


def test_the_last_xid_is_told_and_stays() -> None:
    gpu = FakeGpu("b")
    asked = source(FakeNvml(FakeGpu("a"), gpu))

    async def three() -> list[list[int | None]]:
        told = []
        for xids in ((), (63, 94), ()):
            gpu.xids.extend(xids)
            (only,) = (await asked.sample()).nodes
            told.append([one.xid for one in only.accelerators])
        return told

    assert asyncio.run(three()) == [[None, None], [None, 94], [None, 94]]


def test_a_flood_of_events_does_not_keep_the_sample_from_ending() -> None:
    gpu = FakeGpu("a", xids=deque([13] * 1000 + [31]))

    assert first(FakeNvml(gpu)).xid == 13
    assert gpu.xids


@pytest.mark.parametrize(
    "code",
    [
        pynvml.NVML_ERROR_GPU_IS_LOST,
        pynvml.NVML_ERROR_RESET_REQUIRED,
        pynvml.NVML_ERROR_GPU_NOT_FOUND,
        pynvml.NVML_ERROR_IRQ_ISSUE,
        pynvml.NVML_ERROR_INSUFFICIENT_POWER,
    ],
)
def test_a_gpu_that_is_lost_has_a_fault_and_keeps_its_place(code: int) -> None:
    lost = FakeGpu("b")
    asked = source(FakeNvml(FakeGpu("a"), lost, FakeGpu("c")))

    async def before_and_after() -> NodeMeasure:
        await asked.sample()
        lost.xids.append(79)
        lost.refuses["*"] = code
        (only,) = (await asked.sample()).nodes
        return only

    told = asyncio.run(before_and_after())
    assert told.component.installed == 3
    assert told.accelerators[1] == AcceleratorMeasure(fault=str(pynvml.NVMLError(code)), xid=79)
    assert [one.fault for one in (told.accelerators[0], told.accelerators[2])] == [None, None]


def test_a_gpu_that_was_lost_before_the_publisher_started_is_counted() -> None:
    lost = FakeGpu("a", refuses={"nvmlDeviceGetHandleByIndex": pynvml.NVML_ERROR_GPU_IS_LOST})

    told = node(FakeNvml(lost, FakeGpu("b")))

    assert told.component.type == "h200-sxm"
    assert [one.fault for one in told.accelerators] == ["GPU is lost", None]


def test_a_gpu_that_may_not_be_asked_is_no_fault_of_its() -> None:
    forbidden = FakeGpu("a", refuses={"*": pynvml.NVML_ERROR_NO_PERMISSION})

    told = sampled(FakeNvml(forbidden, FakeGpu("b")))

    assert told.nodes[0].accelerators[0] == AcceleratorMeasure()
    assert told.failures == (Failure("NVML: GPU 0", "Insufficient Permissions"),)


def test_gpus_that_the_user_knows_of_and_the_driver_does_not_are_faults() -> None:
    (component,) = asyncio.run(source(FakeNvml(FakeGpu("a")), installed=2).discover())
    (told,) = asyncio.run(source(FakeNvml(FakeGpu("a")), installed=2).sample()).nodes

    assert component.installed == 2
    assert [one.fault for one in told.accelerators] == [None, "the driver does not find it"]


def test_after_the_driver_has_been_restarted_it_is_initialised_again_and_counters_begin_anew() -> None:
    nvml = FakeNvml(FakeGpu("a", xids=deque([79])))
    asked = source(nvml)

    async def through_a_restart() -> list[Sampled]:
        told = [await asked.sample()]
        nvml.restart_driver()
        return [*told, await asked.sample(), await asked.sample()]

    before, during, after = asyncio.run(through_a_restart())
    assert during == Sampled(failures=(Failure("NVML", "Uninitialized"),))
    assert nvml.initialised == 2
    assert [told.nodes[0].accelerators[0].energy_joules for told in (before, after)] == [5000.25, 0]
    assert [told.nodes[0].accelerators[0].xid for told in (before, after)] == [79, None]


def test_a_gpu_that_does_not_come_back_leaves_its_place_empty_and_fills_it_when_it_does() -> None:
    one, two, three = FakeGpu("a", celsius=40), FakeGpu("b", celsius=50), FakeGpu("c", celsius=60)
    nvml = FakeNvml(one, two, three)
    asked = source(nvml)

    async def restarted_with(*gpus: FakeGpu) -> list[float | None]:
        nvml.gpus = list(gpus)
        nvml.restart_driver()
        await asked.sample()
        (only,) = (await asked.sample()).nodes
        return [one.temperature_celsius for one in only.accelerators]

    async def all_of_it() -> list[list[float | None]]:
        await asked.sample()
        return [await restarted_with(two, three), await restarted_with(one, two, three)]

    assert asyncio.run(all_of_it()) == [[None, 50, 60], [40, 50, 60]]


def test_a_lost_gpu_is_looked_for_again_once_in_a_while() -> None:
    clock = [0.0]
    nvml = FakeNvml(FakeGpu("a", refuses={"*": pynvml.NVML_ERROR_GPU_IS_LOST}))
    devices = Devices(NvidiaDriver(nvml), None, now=lambda: clock[0])

    initialised = []
    for clock[0] in (0.0, 30.0, 60.0, 65.0):
        devices.ask()
        initialised.append(nvml.initialised)

    assert initialised == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("code", "why", "way_out"),
    [
        pytest.param(
            pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "Shared Library Not Found", "Install NVIDIA's driver", id="lib"
        ),
        pytest.param(pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "Driver Not Loaded", "modprobe nvidia", id="driver"),
        pytest.param(pynvml.NVML_ERROR_NO_PERMISSION, "Insufficient Permissions", "/dev/nvidiactl", id="permission"),
        pytest.param(pynvml.NVML_ERROR_UNKNOWN, "Unknown Error", "nvidia-smi", id="anything"),
    ],
)
def test_without_a_driver_the_way_out_is_told(code: int, why: str, way_out: str) -> None:
    nvml = FakeNvml(FakeGpu("a"))
    nvml.refuses["nvmlInit"] = code

    with pytest.raises(Unavailable) as unavailable:
        asyncio.run(source(nvml).discover())

    assert why in unavailable.value.why
    assert way_out in unavailable.value.way_out
    assert sampled(nvml) == Sampled(failures=(Failure("NVML", unavailable.value.why),))


def test_a_machine_without_gpus_is_no_node() -> None:
    with pytest.raises(Unavailable, match="the driver shows no accelerator"):
        asyncio.run(source(FakeNvml()).discover())


def test_the_real_library_without_a_driver_is_told_as_such() -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        expected = str(error)
    else:
        pytest.skip("this machine has a driver")  # what it says then is tests/gpu's matter

    with pytest.raises(Unavailable) as unavailable:
        asyncio.run(source_of(options_here()).discover())

    assert unavailable.value.why == expected


def test_mixed_models_are_refused_unless_a_type_is_configured() -> None:
    mixed = FakeNvml(FakeGpu("a"), FakeGpu("b", name="NVIDIA H100 80GB HBM3"))

    with pytest.raises(ConfigurationError, match="the accelerators of this node are not of one"):
        asyncio.run(source(mixed).discover())
    (component,) = asyncio.run(source(mixed, type_="h100-sxm").discover())

    assert component.type == "h100-sxm"
    assert component.about == "1 x NVIDIA H200, 1 x NVIDIA H100 80GB HBM3, driver 580.95.05"


def test_an_unknown_model_is_refused_by_name_and_fails_samples() -> None:
    nvml = FakeNvml(FakeGpu("a", name="NVIDIA H100 PCIe"))

    with pytest.raises(ConfigurationError, match="--type is 'NVIDIA H100 PCIe'"):
        asyncio.run(source(nvml).discover())

    (failure,) = sampled(nvml).failures
    assert "NVIDIA H100 PCIe" in failure.why


def test_gpus_that_say_no_model_need_a_type() -> None:
    lost = FakeGpu("a", refuses={"*": pynvml.NVML_ERROR_GPU_IS_LOST})

    with pytest.raises(Unavailable, match="--type"):
        asyncio.run(source(FakeNvml(lost)).discover())
    (component,) = asyncio.run(source(FakeNvml(lost), type_="h200-sxm").discover())

    assert component.installed == 1


def test_no_call_is_made_in_the_thread_of_the_event_loop() -> None:
    nvml = FakeNvml(FakeGpu("a"))

    async def whole_life() -> None:
        asked = source(nvml)
        await asked.discover()
        await asked.sample()
        await asked.close()

    asyncio.run(whole_life())
    assert threading.get_ident() not in nvml.threads
    assert nvml.shut_down == 1


def test_a_driver_that_hangs_fails_the_sample_and_no_second_call_is_made_before_it_comes_back() -> None:
    nvml = FakeNvml(FakeGpu("a"))
    asked = source(nvml, timeout=0.05)

    async def through_a_hang() -> tuple[list[Sampled], int]:
        nvml.answers.clear()
        hanging = [await asked.sample(), await asked.sample()]
        await asked.close()  # returns, too
        return hanging, nvml.asked

    told, calls = asyncio.run(through_a_hang())
    nvml.answers.set()

    assert told[0] == Sampled(failures=(Failure("NVML", "no answer within 0.05 s"),))
    assert told[1] == Sampled(failures=(Failure("NVML", "the driver has not come back from an earlier call"),))
    assert calls == 1


def test_a_driver_that_comes_back_is_asked_again() -> None:
    nvml = FakeNvml(FakeGpu("a"))
    asked = source(nvml, timeout=0.5)

    async def through_a_hang() -> Sampled:
        nvml.answers.clear()
        await asked.sample()
        nvml.answers.set()
        while not (told := await asked.sample()).nodes:
            await asyncio.sleep(0)
        return told

    assert asyncio.run(through_a_hang()).nodes[0].accelerators[0].power_watts == 412.345


@pytest.mark.parametrize("call", [name for name in vars(Nvml) if name.startswith("nvml")])
def test_the_port_calls_what_the_real_module_has(call: str) -> None:
    port = list(inspect.signature(getattr(Nvml, call)).parameters)[1:]

    assert len(inspect.signature(getattr(pynvml, call)).parameters) >= len(port)
    assert hasattr(FakeNvml, call)
