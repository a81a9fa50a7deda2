"""NVML as its Python module shows it, without a driver: handles, integers in its units, errors of its classes."""

# ruff: noqa: N802, N803  # the names are NVML's
from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from ctypes import sizeof
from dataclasses import dataclass, field
from threading import Event, get_ident
from typing import Any

import pynvml

from streams.publish.nvidia.library import EventSet, Handle


@dataclass
class FakeGpu:
    """One GPU; a call named in `refuses` fails with that code."""

    uuid: str
    name: str = "NVIDIA H200"
    instant_milliwatts: int = 412_345
    mean_milliwatts: int = 400_000
    millijoules: int = 5_000_250
    busy_percent: int = 87
    used_bytes: int = 30 * 2**30
    reserved_bytes: int = 600 * 2**20
    celsius: int = 61
    reasons: int = 0
    mig: bool = False
    refuses: dict[str, int] = field(default_factory=dict)
    xids: deque[int] = field(default_factory=deque)


class FakeNvml:
    """The module: it must be initialised, forgets its handles when shut down, and counts what it is asked."""

    def __init__(self, *gpus: FakeGpu) -> None:
        self.gpus = list(gpus)
        self.refuses: dict[str, int] = {}
        self.initialised = 0
        self.shut_down = 0
        self.threads: set[int] = set()
        self.answers = Event()
        """Cleared, its driver hangs."""
        self.answers.set()
        self.asked = 0
        self._generation = 0
        self._handles: dict[Any, tuple[int, FakeGpu]] = {}
        self._sets: dict[Any, list[FakeGpu]] = {}
        self._up = False

    def restart_driver(self) -> None:
        """The driver is unloaded and loaded: nothing of before is good, and counters begin anew."""
        self._up = False
        for gpu in self.gpus:
            gpu.millijoules = 0

    def nvmlInit(self) -> None:
        self._called("nvmlInit", needs_init=False)
        self._up = True
        self._generation += 1
        self.initialised += 1

    def nvmlShutdown(self) -> None:
        self._called("nvmlShutdown")
        self._up = False
        self.shut_down += 1

    def nvmlSystemGetDriverVersion(self) -> str:
        self._called("nvmlSystemGetDriverVersion")
        return "580.95.05"

    def nvmlDeviceGetCount(self) -> int:
        self._called("nvmlDeviceGetCount")
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Handle:
        self._called("nvmlDeviceGetHandleByIndex")
        gpu = self.gpus[index]
        _refuse(gpu, "nvmlDeviceGetHandleByIndex")
        handle = Handle(object())
        self._handles[handle] = (self._generation, gpu)
        return handle

    def nvmlDeviceGetUUID(self, handle: Handle) -> str:
        return self._gpu("nvmlDeviceGetUUID", handle).uuid

    def nvmlDeviceGetName(self, handle: Handle) -> str:
        return self._gpu("nvmlDeviceGetName", handle).name

    def nvmlDeviceGetFieldValues(self, handle: Handle, fieldIds: Sequence[int]) -> Sequence[Any]:
        gpu = self._gpu("nvmlDeviceGetFieldValues", handle)
        values = []
        for field_id in fieldIds:
            value = pynvml.c_nvmlFieldValue_t(fieldId=field_id)
            if field_id == pynvml.NVML_FI_DEV_POWER_INSTANT:
                value.nvmlReturn = gpu.refuses.get("POWER_INSTANT", pynvml.NVML_SUCCESS)
                value.valueType = pynvml.NVML_VALUE_TYPE_UNSIGNED_INT
                value.value.uiVal = gpu.instant_milliwatts
            else:
                value.nvmlReturn = pynvml.NVML_ERROR_NOT_SUPPORTED
            values.append(value)
        return values

    def nvmlDeviceGetPowerUsage(self, handle: Handle) -> int:
        return self._gpu("nvmlDeviceGetPowerUsage", handle).mean_milliwatts

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Handle) -> int:
        return self._gpu("nvmlDeviceGetTotalEnergyConsumption", handle).millijoules

    def nvmlDeviceGetUtilizationRates(self, handle: Handle) -> Any:
        gpu = self._gpu("nvmlDeviceGetUtilizationRates", handle)
        return pynvml.c_nvmlUtilization_t(gpu=gpu.busy_percent, memory=12)

    def nvmlDeviceGetMemoryInfo(self, handle: Handle, version: int | None = None) -> Any:
        if version is None:
            gpu = self._gpu("nvmlDeviceGetMemoryInfo", handle)
            return pynvml.c_nvmlMemory_t(used=gpu.used_bytes + gpu.reserved_bytes)
        gpu = self._gpu("nvmlDeviceGetMemoryInfo_v2", handle)
        if version != (sizeof(pynvml.c_nvmlMemory_v2_t) | 2 << 24):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH)
        return pynvml.c_nvmlMemory_v2_t(used=gpu.used_bytes, reserved=gpu.reserved_bytes)

    def nvmlDeviceGetTemperatureV(self, handle: Handle, sensor: int) -> int:
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return self._gpu("nvmlDeviceGetTemperatureV", handle).celsius

    def nvmlDeviceGetTemperature(self, handle: Handle, sensor: int) -> int:
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return self._gpu("nvmlDeviceGetTemperature", handle).celsius

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: Handle) -> int:
        return self._gpu("nvmlDeviceGetCurrentClocksEventReasons", handle).reasons

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Handle) -> int:
        return self._gpu("nvmlDeviceGetCurrentClocksThrottleReasons", handle).reasons

    def nvmlDeviceGetMigMode(self, handle: Handle) -> Sequence[int]:
        mode = pynvml.NVML_DEVICE_MIG_ENABLE if self._gpu("nvmlDeviceGetMigMode", handle).mig else 0
        return [mode, mode]

    def nvmlEventSetCreate(self) -> EventSet:
        self._called("nvmlEventSetCreate")
        events = EventSet(object())
        self._sets[events] = []
        return events

    def nvmlDeviceRegisterEvents(self, handle: Handle, eventTypes: int, eventSet: EventSet) -> None:
        assert eventTypes == pynvml.nvmlEventTypeXidCriticalError
        self._sets[eventSet].append(self._gpu("nvmlDeviceRegisterEvents", handle))

    def nvmlEventSetWait(self, eventSet: EventSet, timeoutms: int) -> Any:
        assert timeoutms == 0
        self._called("nvmlEventSetWait")
        for gpu in self._sets[eventSet]:
            if gpu.xids:
                return pynvml.c_nvmlEventData_t(
                    eventType=pynvml.nvmlEventTypeXidCriticalError, eventData=gpu.xids.popleft()
                )
            _refuse(gpu, "nvmlEventSetWait")
        raise pynvml.NVMLError(pynvml.NVML_ERROR_TIMEOUT)

    def _gpu(self, call: str, handle: Handle) -> FakeGpu:
        self._called(call)
        generation, gpu = self._handles[handle]
        if generation != self._generation:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        _refuse(gpu, call)
        return gpu

    def _called(self, call: str, *, needs_init: bool = True) -> None:
        self.asked += 1
        self.threads.add(get_ident())
        self.answers.wait()
        if call in self.refuses:
            raise pynvml.NVMLError(self.refuses[call])
        if needs_init and not self._up:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)


def _refuse(gpu: FakeGpu, call: str) -> None:
    """Fail as this GPU does; `*` is every call."""
    code = gpu.refuses.get(call, gpu.refuses.get("*"))
    if code is not None:
        raise pynvml.NVMLError(code)
