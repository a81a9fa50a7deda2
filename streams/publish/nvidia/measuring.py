"""What one GPU says at an instant, in canonical units, and what it does not say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pynvml

from streams.publish.measures import AcceleratorMeasure, Failure, Throttle
from streams.publish.nvidia.library import EventSet, Handle, Nvml

LOST = frozenset(
    {
        pynvml.NVML_ERROR_GPU_IS_LOST,
        pynvml.NVML_ERROR_GPU_NOT_FOUND,
        pynvml.NVML_ERROR_INSUFFICIENT_POWER,
        pynvml.NVML_ERROR_IRQ_ISSUE,
        pynvml.NVML_ERROR_RESET_REQUIRED,
    }
)
"""The GPU can do no work: off the bus, unpowered, without interrupts, or waiting for a reset."""

DRIVER_GONE = frozenset(
    {
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
        pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
        pynvml.NVML_ERROR_UNINITIALIZED,
    }
)
"""No GPU can be asked before NVML is initialised anew."""

_NOT_HERE = frozenset(
    {
        pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH,
        pynvml.NVML_ERROR_DEPRECATED,
        pynvml.NVML_ERROR_FUNCTION_NOT_FOUND,
        pynvml.NVML_ERROR_INVALID_ARGUMENT,
        pynvml.NVML_ERROR_NOT_SUPPORTED,
    }
)
"""This GPU or this driver does not have it; there may be another way to ask."""

_NO_NEWS = _NOT_HERE | {pynvml.NVML_ERROR_NO_PERMISSION}
"""Nothing is wrong: it will be the same next time."""

_NOT_AVAILABLE = frozenset(
    {pynvml.NVML_VALUE_NOT_AVAILABLE_uint.value, pynvml.NVML_VALUE_NOT_AVAILABLE_ulonglong.value}
)

_MOST_EVENTS = 64
"""Read of one GPU at a time, so that a flood of them cannot keep the sample from ending."""

_REASONS = (
    (pynvml.nvmlClocksEventReasonSwPowerCap, Throttle.POWER),
    (pynvml.nvmlClocksEventReasonSwThermalSlowdown, Throttle.THERMAL),
    (pynvml.nvmlClocksEventReasonHwThermalSlowdown, Throttle.THERMAL),
    (pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown, Throttle.HARDWARE),
    (pynvml.nvmlClocksEventReasonSyncBoost, Throttle.SYNC),
)


@dataclass
class Asking:
    """One GPU, asked for one measure after the other."""

    library: Nvml
    handle: Handle
    endpoint: str
    """For messages."""
    xid: int | None = None
    """The number of its last XID event."""
    missing: list[str] = field(default_factory=list)
    """The measures that did not come."""
    failures: list[Failure] = field(default_factory=list)
    """Those of them that should have."""

    def measured(self) -> AcceleratorMeasure:
        """All of it, with the last of the events read.

        Raises:
            NVMLError: the GPU or the driver is lost.
        """
        library, handle = self.library, self.handle
        sensor = pynvml.NVML_TEMPERATURE_GPU
        milliwatts = self._known(
            "power_watts", self._instant_milliwatts, lambda: library.nvmlDeviceGetPowerUsage(handle)
        )
        millijoules = self._known("energy_joules", lambda: library.nvmlDeviceGetTotalEnergyConsumption(handle))
        percent = self._known("utilization", self._busy_percent)
        return AcceleratorMeasure(
            power_watts=None if milliwatts is None else milliwatts / 1000,
            energy_joules=None if millijoules is None else millijoules / 1000,
            utilization=None if percent is None else percent / 100,
            memory_used_bytes=self._known(
                "memory_used_bytes",
                lambda: int(library.nvmlDeviceGetMemoryInfo(handle, pynvml.nvmlMemory_v2).used),
                lambda: int(library.nvmlDeviceGetMemoryInfo(handle).used),
            ),
            temperature_celsius=self._known(
                "temperature_celsius",
                lambda: library.nvmlDeviceGetTemperatureV(handle, sensor),
                lambda: library.nvmlDeviceGetTemperature(handle, sensor),
            ),
            xid=self.xid,
            throttled=self._throttled(),
        )

    def read(self, events: EventSet | None) -> None:
        """Take its events in, of which the last is kept.

        Raises:
            NVMLError: the GPU or the driver is lost.
        """
        if events is None:
            self.missing.append("xid")
            return
        for _ in range(_MOST_EVENTS):
            try:
                self.xid = int(self.library.nvmlEventSetWait(events, 0).eventData)
            except pynvml.NVMLError as error:
                if error.value != pynvml.NVML_ERROR_TIMEOUT:
                    self._refused("xid", error)
                return

    def _instant_milliwatts(self) -> int:
        """The power of this instant, of Ampere (but GA100) and later; others have only one kind of power."""
        (value,) = self.library.nvmlDeviceGetFieldValues(self.handle, [pynvml.NVML_FI_DEV_POWER_INSTANT])
        if value.nvmlReturn != pynvml.NVML_SUCCESS:
            raise pynvml.NVMLError(value.nvmlReturn)
        if value.valueType != pynvml.NVML_VALUE_TYPE_UNSIGNED_INT or value.value.uiVal in _NOT_AVAILABLE:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return int(value.value.uiVal)

    def _busy_percent(self) -> int:
        """A GPU that is cut into instances (MIG) does not say how busy it is as a whole, whatever it answers."""
        try:
            cut = self.library.nvmlDeviceGetMigMode(self.handle)[0] == pynvml.NVML_DEVICE_MIG_ENABLE
        except pynvml.NVMLError as error:
            if error.value not in _NO_NEWS:
                raise
            cut = False
        if cut:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return int(self.library.nvmlDeviceGetUtilizationRates(self.handle).gpu)

    def _throttled(self) -> frozenset[Throttle] | None:
        reasons = self._known(
            "throttled",
            lambda: self.library.nvmlDeviceGetCurrentClocksEventReasons(self.handle),
            lambda: self.library.nvmlDeviceGetCurrentClocksThrottleReasons(self.handle),
        )
        if reasons is None:
            return None
        found = {throttle for bit, throttle in _REASONS if reasons & bit}
        # The hardware's slowdown is set together with its cause where that has a bit of its own.
        if reasons & pynvml.nvmlClocksEventReasonHwSlowdown and not (
            reasons & pynvml.nvmlClocksEventReasonHwThermalSlowdown
        ):
            found.add(Throttle.HARDWARE)
        return frozenset(found)

    def _known(self, measure: str, *ways: Callable[[], int]) -> int | None:
        """What the first way says that this GPU and driver have."""
        for way in ways:
            try:
                value = way()
            except pynvml.NVMLError as error:
                if error.value in _NOT_HERE and way is not ways[-1]:
                    continue
                self._refused(measure, error)
                return None
            if value not in _NOT_AVAILABLE:
                return value
        self.missing.append(measure)
        return None

    def _refused(self, measure: str, error: pynvml.NVMLError) -> None:
        if error.value in LOST | DRIVER_GONE:
            raise error
        self.missing.append(measure)
        if error.value not in _NO_NEWS:
            self.failures.append(Failure(self.endpoint, f"{measure}: {error}"))
