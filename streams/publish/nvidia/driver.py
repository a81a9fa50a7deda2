"""NVIDIA's driver: its GPUs in the order of NVML, and their events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pynvml

from models.errors import Unavailable
from streams.publish.devices import Answer, unasked
from streams.publish.measures import AcceleratorMeasure
from streams.publish.nvidia.library import EventSet, Handle, Nvml
from streams.publish.nvidia.measuring import DRIVER_GONE, LOST, Asking
from streams.publish.places import Device

_SEE = "See what nvidia-smi and dmesg say"

_WAYS_OUT = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: "Install NVIDIA's driver; a container needs its runtime (--gpus all)",
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "Load the driver (modprobe nvidia), and see what nvidia-smi says",
    pynvml.NVML_ERROR_NO_PERMISSION: "Let the publisher open /dev/nvidiactl, /dev/nvidia0 and so on",
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "Start the publisher anew: the driver has been replaced under it",
}


@dataclass(frozen=True, slots=True)
class _Gpu:
    """A GPU that can be asked."""

    handle: Handle
    events: EventSet | None
    """Its own set, so that an event needs no telling whose it is; none where it has no events."""


class NvidiaDriver:
    """NVML, as a driver of the own machine.

    Args:
        library: `pynvml`, or what stands in for it.
    """

    what = "NVML"
    way_out = _SEE

    def __init__(self, library: Nvml) -> None:
        self._library = library
        self._xids: dict[int, int | None] = {}

    def open(self) -> Sequence[Device]:
        """Initialise NVML and find the GPUs, those that are lost among them.

        Raises:
            Unavailable: no library, no driver, or no permission.
        """
        try:
            self._library.nvmlInit()
        except pynvml.NVMLError as error:
            raise _unavailable(error) from None
        try:
            return [self._device(index) for index in range(self._library.nvmlDeviceGetCount())]
        except pynvml.NVMLError as error:
            self.close()
            raise _unavailable(error) from None

    def version(self) -> str:
        """Such as 580.95.05."""
        try:
            return self._library.nvmlSystemGetDriverVersion()
        except pynvml.NVMLError as error:
            raise _unavailable(error) from None

    def ask(self, place: int, device: Device) -> Answer:
        """What one GPU says; its last XID is remembered.

        Raises:
            Unavailable: the driver has gone.
        """
        gpu: _Gpu | None = device.handle
        endpoint = f"{self.what}: GPU {place}"
        if gpu is None:
            return unasked(device, endpoint, self._xids.get(place))
        asking = Asking(self._library, gpu.handle, endpoint, self._xids.get(place))
        try:
            asking.read(gpu.events)
            measured = asking.measured()
        except pynvml.NVMLError as error:
            if error.value not in LOST:
                self._xids.clear()  # a driver that is loaded anew has had no errors
                raise _unavailable(error) from None
            measured = AcceleratorMeasure(fault=str(error), xid=asking.xid)
        self._xids[place] = asking.xid
        return Answer((measured,), tuple(asking.missing), tuple(asking.failures))

    def close(self) -> None:
        """Shut NVML down, which frees handles and event sets."""
        try:
            self._library.nvmlShutdown()
        except pynvml.NVMLError:
            return  # the driver has let go of us

    def _device(self, index: int) -> Device:
        library = self._library
        try:
            handle = library.nvmlDeviceGetHandleByIndex(index)
            uuid, model = library.nvmlDeviceGetUUID(handle), library.nvmlDeviceGetName(handle)
        except pynvml.NVMLError as error:
            if error.value in DRIVER_GONE:
                raise
            return Device(uuid=None, trouble=str(error), lost=error.value in LOST)
        return Device(uuid, model, _Gpu(handle, self._events_of(handle)))

    def _events_of(self, handle: Handle) -> EventSet | None:
        try:
            events = self._library.nvmlEventSetCreate()
            self._library.nvmlDeviceRegisterEvents(handle, pynvml.nvmlEventTypeXidCriticalError, events)
        except pynvml.NVMLError:
            return None  # told as missing with each sample
        return events


def _unavailable(error: pynvml.NVMLError) -> Unavailable:
    return Unavailable(NvidiaDriver.what, str(error), _WAYS_OUT.get(error.value, _SEE))
