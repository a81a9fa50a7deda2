"""What is called of NVML, under the names that its Python module `pynvml` (nvidia-ml-py) gives it.

Every call raises `pynvml.NVMLError` with the library's code in `value`. Units are those of NVML's API reference.
"""

# ruff: noqa: N802  # the names are NVML's
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NewType, Protocol

Handle = NewType("Handle", object)
EventSet = NewType("EventSet", object)


class Nvml(Protocol):
    """The module `pynvml`."""

    def nvmlInit(self) -> None:
        """Load the library and connect to the driver."""

    def nvmlShutdown(self) -> None:
        """Let go of the driver, with all handles and event sets."""

    def nvmlSystemGetDriverVersion(self) -> str:
        """Such as 580.95.05."""
        ...

    def nvmlDeviceGetCount(self) -> int:
        """GPUs, those that do not answer among them."""
        ...

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Handle:
        """The GPU of that index, in the order of the PCI bus."""
        ...

    def nvmlDeviceGetUUID(self, handle: Handle) -> str:
        """What stays the same over restarts."""
        ...

    def nvmlDeviceGetName(self, handle: Handle) -> str:
        """Such as NVIDIA H200."""
        ...

    def nvmlDeviceGetFieldValues(self, handle: Handle, fieldIds: Sequence[int]) -> Sequence[Any]:  # noqa: N803
        """An `nvmlFieldValue_t` each: `nvmlReturn`, `valueType`, and `value`, a union."""
        ...

    def nvmlDeviceGetPowerUsage(self, handle: Handle) -> int:
        """Milliwatts; a mean over a second from Ampere on, but for GA100."""
        ...

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Handle) -> int:
        """Millijoules since the driver was last loaded."""
        ...

    def nvmlDeviceGetUtilizationRates(self, handle: Handle) -> Any:
        """`gpu`: percent of the past sample period (up to a second) in which a kernel ran."""
        ...

    def nvmlDeviceGetMemoryInfo(self, handle: Handle, version: int | None = None) -> Any:
        """`used` in bytes; without a version, what driver and firmware reserve is counted in."""
        ...

    def nvmlDeviceGetTemperatureV(self, handle: Handle, sensor: int) -> int:
        """Degrees Celsius."""
        ...

    def nvmlDeviceGetTemperature(self, handle: Handle, sensor: int) -> int:
        """The same of older drivers."""
        ...

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: Handle) -> int:
        """Bits: why clocks are not higher."""
        ...

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Handle) -> int:
        """The same of older drivers."""
        ...

    def nvmlDeviceGetMigMode(self, handle: Handle) -> Sequence[int]:
        """Current and pending: whether the GPU is cut into instances."""
        ...

    def nvmlEventSetCreate(self) -> EventSet:
        """An empty set."""
        ...

    def nvmlDeviceRegisterEvents(self, handle: Handle, eventTypes: int, eventSet: EventSet) -> None:  # noqa: N803
        """Put these events of the GPU into the set from now on."""

    def nvmlEventSetWait(self, eventSet: EventSet, timeoutms: int) -> Any:  # noqa: N803
        """The next event: `eventType`, and `eventData`, an XID's number. NVML_ERROR_TIMEOUT: there is none."""
        ...
