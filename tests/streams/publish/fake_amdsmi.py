"""AMD SMI as its Python module shows it, without ROCm: handles, answers in its units, N/A, errors with a status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from streams.publish.amd.library import Handle, Status


class AmdSmiException(Exception):
    """The base of all."""


class AmdSmiLibraryException(AmdSmiException):
    """As `amdsmi_exception.py` has it: the status, and a name and a text for it."""

    def __init__(self, err_code: int) -> None:
        super().__init__(err_code)
        self.err_code = err_code
        name = {status.value: status.name for status in Status}.get(err_code)
        self.err_info = "unknown" if name is None else f"AMDSMI_STATUS_{name} - in words"

    def __str__(self) -> str:
        return f"Error code:\n\t{self.err_code} | {self.err_info}"


class AmdSmiParameterException(AmdSmiException):
    """What the module itself refuses: it has no status."""

    err_code = None


class TemperatureType(IntEnum):
    EDGE = 0
    HOTSPOT = 1


class TemperatureMetric(IntEnum):
    CURRENT = 0


class PageStatus(IntEnum):
    RESERVED = 0
    PENDING = 1
    UNRESERVABLE = 2


@dataclass
class FakeGpu:
    """One GPU, or a partition of one; a call named in `refuses` raises that."""

    uuid: str
    name: str = "AMD Instinct MI300X"
    partition: int | str = 0
    current_watts: int | str = 512
    average_watts: int | str = "N/A"
    energy_steps: int = 2_000_000_000
    resolution: float = 15.300000190734863  # a C float
    gfx_percent: int | str = 93
    used_mebibytes: int = 65_535
    celsius: int = 71
    violations: dict[str, bool | str] = field(default_factory=dict)
    pages: list[PageStatus] = field(default_factory=list)
    refuses: dict[str, Exception] = field(default_factory=dict)


class FakeAmdSmi:
    """The module."""

    AmdSmiException = AmdSmiException
    AmdSmiTemperatureType = TemperatureType
    AmdSmiTemperatureMetric = TemperatureMetric
    AmdSmiMemoryPageStatus = PageStatus

    def __init__(self, *gpus: FakeGpu) -> None:
        self.gpus = list(gpus)
        self.refuses: dict[str, Exception] = {}
        self.initialised = 0
        self._up = False
        self._handles: dict[Any, FakeGpu] = {}

    def restart_driver(self) -> None:
        """The driver is unloaded and loaded: nothing of before is good, and counters begin anew."""
        self._up = False
        for gpu in self.gpus:
            gpu.energy_steps = 0

    def amdsmi_init(self) -> None:
        self._called("amdsmi_init", needs_init=False)
        self._up = True
        self.initialised += 1

    def amdsmi_shut_down(self) -> None:
        self._called("amdsmi_shut_down")
        self._up = False

    def amdsmi_get_processor_handles(self) -> Sequence[Handle]:
        self._called("amdsmi_get_processor_handles")
        self._handles = {Handle(object()): gpu for gpu in self.gpus}
        return list(self._handles)

    def amdsmi_get_gpu_kfd_info(self, processor_handle: Handle) -> Mapping[str, Any]:
        return {"current_partition_id": self._gpu("amdsmi_get_gpu_kfd_info", processor_handle).partition}

    def amdsmi_get_gpu_device_uuid(self, processor_handle: Handle) -> str:
        return self._gpu("amdsmi_get_gpu_device_uuid", processor_handle).uuid

    def amdsmi_get_gpu_asic_info(self, processor_handle: Handle) -> Mapping[str, Any]:
        return {"market_name": self._gpu("amdsmi_get_gpu_asic_info", processor_handle).name}

    def amdsmi_get_gpu_driver_info(self, processor_handle: Handle) -> Mapping[str, Any]:
        self._gpu("amdsmi_get_gpu_driver_info", processor_handle)
        return {"driver_name": "amdgpu", "driver_version": "6.12.12", "driver_date": "N/A"}

    def amdsmi_get_power_info(self, processor_handle: Handle) -> Mapping[str, Any]:
        gpu = self._gpu("amdsmi_get_power_info", processor_handle)
        return {"current_socket_power": gpu.current_watts, "average_socket_power": gpu.average_watts}

    def amdsmi_get_energy_count(self, processor_handle: Handle) -> Mapping[str, Any]:
        gpu = self._gpu("amdsmi_get_energy_count", processor_handle)
        return {"energy_accumulator": gpu.energy_steps, "counter_resolution": gpu.resolution, "timestamp": 1}

    def amdsmi_get_gpu_activity(self, processor_handle: Handle) -> Mapping[str, Any]:
        gpu = self._gpu("amdsmi_get_gpu_activity", processor_handle)
        return {"gfx_activity": gpu.gfx_percent, "umc_activity": 3, "mm_activity": "N/A"}

    def amdsmi_get_gpu_vram_usage(self, processor_handle: Handle) -> Mapping[str, Any]:
        gpu = self._gpu("amdsmi_get_gpu_vram_usage", processor_handle)
        return {"vram_total": 196_592, "vram_used": gpu.used_mebibytes}

    def amdsmi_get_temp_metric(self, processor_handle: Handle, sensor_type: Any, metric: Any) -> int:
        assert (sensor_type, metric) == (TemperatureType.HOTSPOT, TemperatureMetric.CURRENT)
        return self._gpu("amdsmi_get_temp_metric", processor_handle).celsius

    def amdsmi_get_violation_status(self, processor_handle: Handle) -> Mapping[str, Any]:
        gpu = self._gpu("amdsmi_get_violation_status", processor_handle)
        none = ("prochot_thrm", "ppt_pwr", "socket_thrm", "vr_thrm", "hbm_thrm", "gfx_clk_below_host_limit")
        return {f"active_{name}": False for name in none} | gpu.violations

    def amdsmi_get_gpu_bad_page_info(self, processor_handle: Handle) -> Sequence[Mapping[str, Any]]:
        pages = self._gpu("amdsmi_get_gpu_bad_page_info", processor_handle).pages
        return [{"value": i, "page_address": i, "page_size": 4096, "status": int(s)} for i, s in enumerate(pages)]

    def _gpu(self, call: str, handle: Handle) -> FakeGpu:
        self._called(call)
        gpu = self._handles[handle]
        error = gpu.refuses.get(call, gpu.refuses.get("*"))
        if error is not None:
            raise error
        return gpu

    def _called(self, call: str, *, needs_init: bool = True) -> None:
        if call in self.refuses:
            raise self.refuses[call]
        if needs_init and not self._up:
            raise AmdSmiLibraryException(Status.NOT_INIT)
