"""The source of NVIDIA GPUs on a real one, beside what nvidia-smi says: `pytest -m gpu`, on a machine that has one.

The GPU must be free: another's work would count as this test's load, or keep it from being idle.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pynvml
import pytest

from models.errors import ConfigurationError
from streams.publish.measures import AcceleratorMeasure, NodeMeasure
from streams.publish.models import type_of
from streams.publish.own_machine import OwnMachine
from streams.publish.sources.nvml import source_of
from tests.gpu import cuda_load
from tests.streams.publish.options import options_here

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(180)]

_ASKED = "power.draw.instant,power.draw,utilization.gpu,memory.used,temperature.gpu"
_PATIENCE_SECONDS = 40.0


@dataclass(frozen=True)
class Said:
    """What nvidia-smi says of the first GPU; watts are the instant's, where the GPU tells them apart from the mean."""

    watts: float
    utilization: float
    memory_bytes: float
    celsius: float


@pytest.fixture(scope="module")
def source() -> OwnMachine:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        pytest.fail(f"`-m gpu` is for a machine with an NVIDIA GPU, and this one cannot be asked: {error}")
    if pynvml.nvmlDeviceGetCount() == 0:
        pytest.fail("`-m gpu` is for a machine with an NVIDIA GPU, and the driver shows none")
    return source_of(options_here(type_="h200-sxm"))  # whatever it is: types are another test's matter


@pytest.fixture(scope="module")
def idle(source: OwnMachine) -> AcceleratorMeasure:
    """Before there is any load."""
    return awaited(source, lambda one: (one.utilization or 0) < 0.1, "to be idle")


def measured(source: OwnMachine) -> NodeMeasure:
    told = asyncio.run(source.sample())
    assert told.failures == ()
    (node,) = told.nodes
    return node


def first(source: OwnMachine) -> AcceleratorMeasure:
    return measured(source).accelerators[0]


def awaited(
    source: OwnMachine, condition: Callable[[AcceleratorMeasure], bool], what: str, seconds: float = _PATIENCE_SECONDS
) -> AcceleratorMeasure:
    """The first measure of which it is true; asked twice a second, as NVML's own periods are not shorter."""
    end = time.monotonic() + seconds
    while not condition(one := first(source)):
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:g} s for the first GPU {what}; at last it said {one}")
        time.sleep(0.5)
    return one


def nvidia_smi() -> Said:
    command = ["nvidia-smi", "--id=0", f"--query-gpu={_ASKED}", "--format=csv,noheader,nounits"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    instant, mean, percent, mebibytes, celsius = (value.strip() for value in answer.strip().split(","))
    watts = float(mean if "N/A" in instant else instant)
    return Said(watts, float(percent) / 100, float(mebibytes) * 1024 * 1024, float(celsius))


@contextmanager
def load(source: OwnMachine) -> Iterator[None]:
    """The GPU at work, its watts settled."""
    command = [sys.executable, str(Path(cuda_load.__file__))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as program:
        assert program.stdout is not None
        if program.stdout.readline() != "running\n":
            pytest.fail(f"the load did not start: {program.communicate(timeout=60)[1]}")
        try:
            awaited(source, lambda one: (one.utilization or 0) > 0.9, "to be busy")
            awaited(source, _settled(), "to draw much the same for a while")
            yield
        finally:
            _, errors = program.communicate(timeout=60)  # ends its standard input, and so the load
    assert program.returncode == 0, errors


def _settled() -> Callable[[AcceleratorMeasure], bool]:
    """Whether the watts of the last four measures are within 3 % of each other."""
    last: list[float] = []

    def settled(one: AcceleratorMeasure) -> bool:
        assert one.power_watts is not None
        last.append(one.power_watts)
        return len(last) >= 4 and max(last[-4:]) <= 1.03 * min(last[-4:])

    return settled


def _near(expected: float) -> float:
    """How far watts may be off: 10 %, or 15 W."""
    return max(0.1 * expected, 15.0)


def test_the_machine_is_a_node_of_as_many_gpus_as_nvml_counts(source: OwnMachine) -> None:
    (component,) = asyncio.run(source.discover())

    assert component.installed == pynvml.nvmlDeviceGetCount()
    assert pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(0)) in component.about
    assert len(measured(source).accelerators) == component.installed


def test_the_type_is_found_by_the_model_or_asked_for(source: OwnMachine) -> None:
    handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    types = {type_of(pynvml.nvmlDeviceGetName(handle)) for handle in handles}

    untyped = source_of(options_here())
    if types == {None} or len(types) > 1:
        with pytest.raises(ConfigurationError, match="--type"):
            asyncio.run(untyped.discover())
    else:
        (component,) = asyncio.run(untyped.discover())
        assert {component.type} == types


def test_an_idle_gpu_is_told_as_idle_and_not_as_unknown(source: OwnMachine, idle: AcceleratorMeasure) -> None:
    said = nvidia_smi()
    one = awaited(source, lambda one: (one.utilization or 0) < 0.1, "to be idle again")

    assert one.utilization is not None
    assert one.power_watts == pytest.approx(said.watts, abs=_near(said.watts))
    assert one.fault is None


def test_a_busy_gpu_is_told_as_nvidia_smi_tells_it(source: OwnMachine, idle: AcceleratorMeasure) -> None:
    assert idle.power_watts is not None
    with load(source):
        for _ in range(5):
            before, one, after = nvidia_smi(), first(source), nvidia_smi()

            low, high = sorted((before.watts, after.watts))
            assert one.power_watts is not None
            assert low - _near(low) <= one.power_watts <= high + _near(high), (before, one, after)
            assert one.utilization is not None
            assert one.utilization > 0.9, (before, one, after)
            assert min(before.utilization, after.utilization) > 0.9, (before, one, after)
            assert one.memory_used_bytes == pytest.approx(after.memory_bytes, abs=64 * 1024 * 1024)
            assert one.temperature_celsius == pytest.approx((before.celsius + after.celsius) / 2, abs=4)
            assert one.fault is None
            assert one.power_watts > idle.power_watts + 50


def test_the_energy_counter_counts_what_the_watts_are(source: OwnMachine, idle: AcceleratorMeasure) -> None:
    with load(source):
        nodes = [measured(source)]
        while nodes[-1].at < nodes[0].at + 10_000:
            time.sleep(0.25)
            nodes.append(measured(source))

    begin, end = nodes[0].accelerators[0], nodes[-1].accelerators[0]
    assert begin.energy_joules is not None
    assert end.energy_joules is not None
    counted = (end.energy_joules - begin.energy_joules) / (nodes[-1].at - nodes[0].at) * 1000
    seen = fmean(node.accelerators[0].power_watts or 0.0 for node in nodes)
    assert counted == pytest.approx(seen, abs=_near(seen)), f"{counted:.1f} W by the counter, {seen:.1f} W seen"


def test_after_the_load_the_gpu_is_idle_again(source: OwnMachine, idle: AcceleratorMeasure) -> None:
    with load(source):
        busy = first(source)
    after = awaited(source, lambda one: one.utilization is not None and one.utilization < 0.1, "to be idle again")

    assert busy.utilization is not None
    assert busy.utilization > 0.9
    assert after.power_watts is not None
    assert busy.power_watts is not None
    assert after.power_watts < busy.power_watts


def test_a_sample_takes_less_than_its_beat(source: OwnMachine) -> None:
    measured(source)  # the first one initialises NVML

    begun = time.monotonic()
    for _ in range(10):
        measured(source)
    assert (time.monotonic() - begun) / 10 < 0.5
