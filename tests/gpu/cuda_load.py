"""Keeps the first GPU busy until standard input ends: a kernel that only calculates, through CUDA's driver API.

A program of its own, which says `running` once the GPU works, so that the GPU is left as it was found when it ends.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys
import time

_MOST_SECONDS = 120.0
"""After which it ends by itself."""

_BLOCK, _BLOCKS_PER_MULTIPROCESSOR = 256, 8
_ROUNDS = 1_000_000
"""For about a tenth of a second on a GPU of 1.7 GHz: 8 x 256 threads a multiprocessor, 8 multiplications a round."""

_MULTIPROCESSOR_COUNT = 16
"""CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT."""

# Eight chains that do not wait for each other and stay near 1; each begins elsewhere, or one would do for all. The sum
# is stored, or all of it would be left out.
_CHAINS = "\n".join(f"    fma.rn.f32 %x{chain}, %x{chain}, 0f3F7FBE77, 0f3A83126F;" for chain in range(8))
_SUMS = "\n".join(f"    add.f32 %x0, %x0, %x{chain};" for chain in range(1, 8))
_STARTS = "\n".join(f"    mov.f32 %x{chain}, 0f3F8{chain}0000;" for chain in range(8))
PTX = f"""
.version 6.3
.target sm_75
.address_size 64
.visible .entry spin(.param .u64 sums, .param .u32 rounds)
{{
    .reg .pred %again;
    .reg .u32 %left, %thread, %block, %size;
    .reg .u64 %address, %offset;
    .reg .f32 %x<8>;
    ld.param.u64 %address, [sums];
    ld.param.u32 %left, [rounds];
    cvta.to.global.u64 %address, %address;
    mov.u32 %thread, %tid.x;
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mad.lo.u32 %thread, %block, %size, %thread;
    mul.wide.u32 %offset, %thread, 4;
    add.u64 %address, %address, %offset;
{_STARTS}
ROUND:
{_CHAINS}
    sub.u32 %left, %left, 1;
    setp.ne.u32 %again, %left, 0;
    @%again bra ROUND;
{_SUMS}
    st.global.f32 [%address], %x0;
    ret;
}}
"""


class Cuda:
    """The driver's library; each call that fails ends the program with the error's name."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libcuda.so.1")

    def __call__(self, function: str, *arguments: object) -> None:
        code = getattr(self._library, function)(*arguments)
        if code != 0:
            name = ctypes.c_char_p()
            self._library.cuGetErrorName(code, ctypes.byref(name))
            sys.exit(f"{function}: {(name.value or b'').decode()} ({code})")


def main() -> None:
    """Load the kernel, and run it again and again."""
    os.environ |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "0"}  # the order of NVML
    cuda = Cuda()
    device, multiprocessors = ctypes.c_int(), ctypes.c_int()
    context, module, kernel = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    sums = ctypes.c_uint64()
    cuda("cuInit", 0)
    cuda("cuDeviceGet", ctypes.byref(device), 0)
    cuda("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    cuda("cuCtxSetCurrent", context)
    cuda("cuDeviceGetAttribute", ctypes.byref(multiprocessors), _MULTIPROCESSOR_COUNT, device)
    cuda("cuModuleLoadData", ctypes.byref(module), ctypes.c_char_p(PTX.encode()))
    cuda("cuModuleGetFunction", ctypes.byref(kernel), module, ctypes.c_char_p(b"spin"))
    blocks = multiprocessors.value * _BLOCKS_PER_MULTIPROCESSOR
    cuda("cuMemAlloc_v2", ctypes.byref(sums), ctypes.c_size_t(blocks * _BLOCK * 4))
    rounds = ctypes.c_uint(_ROUNDS)
    parameters = (ctypes.c_void_p * 2)(ctypes.addressof(sums), ctypes.addressof(rounds))

    def launch() -> None:
        shape = (blocks, 1, 1, _BLOCK, 1, 1)
        cuda("cuLaunchKernel", kernel, *shape, 0, None, parameters, None)

    launch()
    cuda("cuCtxSynchronize")
    sys.stdout.write("running\n")
    sys.stdout.flush()
    end = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < end and not select.select([sys.stdin], [], [], 0)[0]:
        for _ in range(4):  # queued behind each other, so that the GPU hardly ever waits for this program
            launch()
        cuda("cuCtxSynchronize")
    cuda("cuDevicePrimaryCtxRelease_v2", device)


if __name__ == "__main__":
    main()
