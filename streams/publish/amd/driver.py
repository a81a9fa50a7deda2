"""AMD's driver: its GPUs in the order of AMD SMI."""

from __future__ import annotations

from collections.abc import Sequence

from models.errors import Unavailable
from streams.publish.amd.library import AmdSmi, Handle, Status
from streams.publish.amd.measuring import DRIVER_GONE, LOST, Asking, status_of, words_of
from streams.publish.devices import Answer, unasked
from streams.publish.measures import AcceleratorMeasure
from streams.publish.places import Device

_SEE = "See what amd-smi and dmesg say"

_WAYS_OUT: dict[int | None, str] = {
    Status.DRIVER_NOT_LOADED: "Load the driver (modprobe amdgpu), and see what amd-smi says",
    Status.NO_PERM: "Put the publisher into the groups render and video; a container needs /dev/kfd and /dev/dri",
}


class AmdDriver:
    """AMD SMI, as a driver of the own machine.

    Args:
        library: `amdsmi`, or what stands in for it.
    """

    what = "AMD SMI"
    way_out = _SEE

    def __init__(self, library: AmdSmi) -> None:
        self._library = library
        self._version = "N/A"

    def open(self) -> Sequence[Device]:
        """Initialise AMD SMI and find the GPUs. A GPU that is partitioned is one, and is asked by its first partition.

        Raises:
            Unavailable: no driver, or no permission.
        """
        try:
            self._library.amdsmi_init()
        except self._library.AmdSmiException as error:
            raise _unavailable(error) from None
        try:
            handles = [handle for handle in self._library.amdsmi_get_processor_handles() if self._is_whole(handle)]
            self._version = self._version_by(handles)
            return [self._device(handle) for handle in handles]
        except self._library.AmdSmiException as error:
            self.close()
            raise _unavailable(error) from None

    def version(self) -> str:
        """Such as 6.12.12, as the first GPU that says it has it."""
        return self._version

    def ask(self, place: int, device: Device) -> Answer:
        """What one GPU says.

        Raises:
            Unavailable: the driver has gone.
        """
        endpoint = f"{self.what}: GPU {place}"
        if device.handle is None:
            return unasked(device, endpoint)
        asking = Asking(self._library, device.handle, endpoint)
        try:
            measured = asking.measured()
        except self._library.AmdSmiException as error:
            if status_of(error) not in LOST:
                raise _unavailable(error) from None
            measured = AcceleratorMeasure(fault=words_of(error))
        return Answer((measured,), tuple(asking.missing), tuple(asking.failures))

    def close(self) -> None:
        """Shut AMD SMI down."""
        try:
            self._library.amdsmi_shut_down()
        except self._library.AmdSmiException:
            return  # the driver has let go of us

    def _is_whole(self, handle: Handle) -> bool:
        """Whether it is a GPU, or the partition that stands for one; who does not know partitions has none."""
        try:
            partition = self._library.amdsmi_get_gpu_kfd_info(handle)["current_partition_id"]
        except self._library.AmdSmiException as error:
            if status_of(error) in DRIVER_GONE:
                raise
            return True
        return partition in {0, "N/A"}

    def _version_by(self, handles: Sequence[Handle]) -> str:
        for handle in handles:
            try:
                return str(self._library.amdsmi_get_gpu_driver_info(handle)["driver_version"])
            except self._library.AmdSmiException:
                continue  # only told to people
        return "N/A"

    def _device(self, handle: Handle) -> Device:
        try:
            uuid = self._library.amdsmi_get_gpu_device_uuid(handle)
            model = str(self._library.amdsmi_get_gpu_asic_info(handle)["market_name"])
        except self._library.AmdSmiException as error:
            status = status_of(error)
            if status in DRIVER_GONE:
                raise
            return Device(uuid=None, trouble=words_of(error), lost=status in LOST)
        return Device(uuid, None if model == "N/A" else model, handle)


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(AmdDriver.what, words_of(error), _WAYS_OUT.get(status_of(error), _SEE))
