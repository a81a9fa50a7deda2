"""What one GPU says at an instant, in canonical units, and what it does not say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from streams.publish.amd.library import AmdSmi, Handle, Status
from streams.publish.measures import AcceleratorMeasure, Failure, Throttle

_Value = TypeVar("_Value")

LOST = frozenset({Status.NOT_FOUND, Status.DRM_ERROR, Status.AMDGPU_RESTART_ERR})
"""The GPU can do no work: its device is gone, or did not come back from a reset."""

DRIVER_GONE = frozenset({Status.NOT_INIT, Status.DRIVER_NOT_LOADED})
"""No GPU can be asked before the library is initialised anew."""

_NO_NEWS = frozenset(
    {
        Status.INVAL,
        Status.NOT_SUPPORTED,
        Status.NOT_YET_IMPLEMENTED,
        Status.NO_PERM,
        Status.NO_DATA,
        Status.FILE_NOT_FOUND,
    }
)
"""Nothing is wrong: this GPU, driver or user does not have it, and will not have it next time."""

_UINT16_MAX, _UINT32_MAX, _UINT64_MAX = 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF
"""What stands for "not known" in the driver's tables, which the Python module makes N/A of in most fields."""

_VIOLATIONS = {
    "active_ppt_pwr": Throttle.POWER,
    "active_prochot_thrm": Throttle.THERMAL,
    "active_socket_thrm": Throttle.THERMAL,
    "active_vr_thrm": Throttle.THERMAL,
    "active_hbm_thrm": Throttle.THERMAL,
}
"""Package power tracking; a hot processor, socket, voltage regulator or memory. `gfx_clk_below_host_limit` is left out:
it follows from these, and says no cause."""


def status_of(error: Exception) -> int | None:
    """The library's status; none where the Python module itself refuses."""
    code = getattr(error, "err_code", None)
    return code if isinstance(code, int) else None


def words_of(error: Exception) -> str:
    """What the library says of it, in a line: its own text has two."""
    return str(getattr(error, "err_info", error))


@dataclass
class Asking:
    """One GPU, asked for one measure after the other."""

    library: AmdSmi
    handle: Handle
    endpoint: str
    """For messages."""
    missing: list[str] = field(default_factory=list)
    """The measures that did not come."""
    failures: list[Failure] = field(default_factory=list)
    """Those of them that should have."""

    def measured(self) -> AcceleratorMeasure:
        """All that it says; a fault where it says nothing at all and something is wrong with that.

        Raises:
            AmdSmiException: the GPU or the driver is lost.
        """
        told = AcceleratorMeasure(
            power_watts=self._known("power_watts", self._watts),
            energy_joules=self._known("energy_joules", self._joules),
            utilization=self._known("utilization", self._busy),
            memory_used_bytes=self._known("memory_used_bytes", self._memory_used),
            temperature_celsius=self._known("temperature_celsius", self._hotspot),
            throttled=self._known("throttled", self._throttled),
            fault=self._known("bad_pages", self._bad_memory) or None,
        )
        if told == AcceleratorMeasure() and self.failures:
            return AcceleratorMeasure(fault=self.failures[0].why)
        return told

    def _watts(self) -> float | None:
        told = self.library.amdsmi_get_power_info(self.handle)
        current = _number(told.get("current_socket_power"), _UINT16_MAX, _UINT32_MAX)
        return _number(told.get("average_socket_power"), _UINT16_MAX, _UINT32_MAX) if current is None else current

    def _joules(self) -> float | None:
        told = self.library.amdsmi_get_energy_count(self.handle)
        steps = _number(told.get("energy_accumulator"), _UINT64_MAX)
        return None if steps is None else steps * told["counter_resolution"] / 1_000_000

    def _busy(self) -> float | None:
        percent = _number(self.library.amdsmi_get_gpu_activity(self.handle).get("gfx_activity"))
        return None if percent is None or percent > 100 else percent / 100

    def _memory_used(self) -> int | None:
        mebibytes = _number(self.library.amdsmi_get_gpu_vram_usage(self.handle).get("vram_used"), _UINT32_MAX)
        return None if mebibytes is None else int(mebibytes) * 1024 * 1024

    def _hotspot(self) -> float | None:
        library = self.library
        hotspot, now = library.AmdSmiTemperatureType.HOTSPOT, library.AmdSmiTemperatureMetric.CURRENT
        return _number(library.amdsmi_get_temp_metric(self.handle, hotspot, now), _UINT16_MAX)

    def _throttled(self) -> frozenset[Throttle] | None:
        """None where not one of the limits is told; an unknown one beside known ones counts as not held back by it."""
        told = self.library.amdsmi_get_violation_status(self.handle)
        active = {name: told[name] for name in _VIOLATIONS if isinstance(told.get(name), bool)}
        if not active:
            return None
        return frozenset(_VIOLATIONS[name] for name, holds in active.items() if holds)

    def _bad_memory(self) -> str:
        """Why its memory keeps it from work; empty where it does not. Bad pages that are out of use do no harm."""
        pages = self.library.amdsmi_get_gpu_bad_page_info(self.handle)
        stuck = sum(page["status"] == self.library.AmdSmiMemoryPageStatus.UNRESERVABLE for page in pages)
        return f"bad pages of memory that cannot be taken out of use: {stuck}" if stuck else ""

    def _known(self, measure: str, way: Callable[[], _Value | None]) -> _Value | None:
        try:
            value = way()
        except self.library.AmdSmiException as error:
            status = status_of(error)
            if status in LOST | DRIVER_GONE:
                raise
            if status not in _NO_NEWS:
                self.failures.append(Failure(self.endpoint, f"{measure}: {words_of(error)}"))
            value = None
        if value is None:
            self.missing.append(measure)
        return value


def _number(value: object, *not_known: int) -> float | None:
    """A number that is one, and none of those that stand for no number."""
    return value if isinstance(value, int | float) and value not in not_known else None
