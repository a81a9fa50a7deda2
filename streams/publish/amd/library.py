"""What is called of AMD SMI, under the names that its Python module `amdsmi` gives it.

Every call raises the module's `AmdSmiException`; of its kind `AmdSmiLibraryException` has the library's status, one of
`Status`, in `err_code`. What is not known is the string N/A, or the greatest number of the field's C type. Units are
those of `amdsmi.h`, the header of ROCm 7's library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, NewType, Protocol

Handle = NewType("Handle", object)


class Status(IntEnum):
    """Of `amdsmi_status_t`, as `amdsmi_wrapper.py` has it: the module exports no names for them."""

    INVAL = 1
    NOT_SUPPORTED = 2
    NOT_YET_IMPLEMENTED = 3
    DRM_ERROR = 6
    NO_PERM = 10
    NOT_FOUND = 31
    NOT_INIT = 32
    DRIVER_NOT_LOADED = 34
    NO_DATA = 40
    FILE_NOT_FOUND = 52
    AMDGPU_RESTART_ERR = 54


class AmdSmi(Protocol):
    """The module `amdsmi`."""

    @property
    def AmdSmiException(self) -> type[Exception]:  # noqa: N802
        """All that its calls raise."""

    @property
    def AmdSmiTemperatureType(self) -> Any:  # noqa: N802
        """Has HOTSPOT."""

    @property
    def AmdSmiTemperatureMetric(self) -> Any:  # noqa: N802
        """Has CURRENT."""

    @property
    def AmdSmiMemoryPageStatus(self) -> Any:  # noqa: N802
        """Has UNRESERVABLE: a bad page that could not be taken out of use."""

    def amdsmi_init(self) -> None:
        """Connect to the driver, for GPUs."""

    def amdsmi_shut_down(self) -> None:
        """Let go of it."""

    def amdsmi_get_processor_handles(self) -> Sequence[Handle]:
        """GPUs in the order of the PCI bus; of one that is partitioned, each partition."""
        ...

    def amdsmi_get_gpu_kfd_info(self, processor_handle: Handle) -> Mapping[str, Any]:
        """`current_partition_id`: 0 of a whole GPU and of the first partition."""
        ...

    def amdsmi_get_gpu_device_uuid(self, processor_handle: Handle) -> str:
        """What stays the same over restarts."""
        ...

    def amdsmi_get_gpu_asic_info(self, processor_handle: Handle) -> Mapping[str, Any]:
        """`market_name`: such as AMD Instinct MI300X."""
        ...

    def amdsmi_get_gpu_driver_info(self, processor_handle: Handle) -> Mapping[str, Any]:
        """`driver_version`."""
        ...

    def amdsmi_get_power_info(self, processor_handle: Handle) -> Mapping[str, Any]:
        """Watts: `current_socket_power` from MI300 on, `average_socket_power` of older ones."""
        ...

    def amdsmi_get_energy_count(self, processor_handle: Handle) -> Mapping[str, Any]:
        """`energy_accumulator`, a counter in steps of `counter_resolution` microjoules."""
        ...

    def amdsmi_get_gpu_activity(self, processor_handle: Handle) -> Mapping[str, Any]:
        """`gfx_activity`: percent of time."""
        ...

    def amdsmi_get_gpu_vram_usage(self, processor_handle: Handle) -> Mapping[str, Any]:
        """`vram_used` in "MegaBytes", which the library makes by dividing by 1024 x 1024."""
        ...

    def amdsmi_get_temp_metric(self, processor_handle: Handle, sensor_type: Any, metric: Any) -> int:
        """Degrees Celsius: the thousandths that the driver has are divided off in the library."""
        ...

    def amdsmi_get_violation_status(self, processor_handle: Handle) -> Mapping[str, Any]:
        """`active_*`: whether a limit holds the GPU back. From MI300 on; looks twice, a tenth of a second apart."""
        ...

    def amdsmi_get_gpu_bad_page_info(self, processor_handle: Handle) -> Sequence[Mapping[str, Any]]:
        """The pages of its memory that are bad, each with its `status`."""
        ...
