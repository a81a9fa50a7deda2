"""A fleet's exporters in one process: as many endpoints on loopback, each with the default metrics of eight GPUs.

    python -m benchmarks.exporters 1000

Prints the ports as JSON on one line, and serves until it is ended. Answers are packed beforehand, two for each
endpoint, so that serving costs little.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import sys
from collections.abc import Iterator

GPUS = 8

METRICS = (
    ("DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz)."),
    ("DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (in MHz)."),
    ("DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Memory temperature (in C)."),
    ("DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C)."),
    ("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W)."),
    ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ)."),
    ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "counter", "Total number of PCIe retries."),
    ("DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %)."),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %)."),
    ("DCGM_FI_DEV_ENC_UTIL", "gauge", "Encoder utilization (in %)."),
    ("DCGM_FI_DEV_DEC_UTIL", "gauge", "Decoder utilization (in %)."),
    ("DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered."),
    ("DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB)."),
    ("DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB)."),
    ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "counter", "Total number of NVLink bandwidth counters for all lanes"),
    ("DCGM_FI_DEV_VGPU_LICENSE_STATUS", "gauge", "vGPU License status"),
    ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for uncorrectable errors"),
    ("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for correctable errors"),
    ("DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge", "Whether remapping of rows has failed"),
)
"""Those that dcgm-exporter exports by default, but for PCIe throughput, which newer GPUs do not have."""

_VALUES = {"DCGM_FI_DEV_POWER_USAGE": "{power}.375000", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": "{energy}"}


def answer(endpoint: int, beat: int) -> str:
    """What an endpoint says at one of its beats."""
    return "\n".join(_lines(endpoint, beat)) + "\n"


def _lines(endpoint: int, beat: int) -> Iterator[str]:
    for name, kind, help_ in METRICS:
        yield f"# HELP {name} {help_}"
        yield f"# TYPE {name} {kind}"
        for gpu in range(GPUS):
            value = _VALUES.get(name, "{other}").format(
                power=400 + 7 * gpu + 11 * beat, energy=987_654_321_000 + 4_000_000 * beat + gpu, other=40 + gpu + beat
            )
            labels = (
                f'gpu="{gpu}",UUID="GPU-{endpoint:08x}-0000-4000-8000-{gpu:012x}",pci_bus_id="00000000:{gpu:02X}:00.0",'
                f'device="nvidia{gpu}",modelName="NVIDIA H100 80GB HBM3",Hostname="node-{endpoint}",'
                f'DCGM_FI_DRIVER_VERSION="580.95.05"'
            )
            yield f"{name}{{{labels}}} {value}"


async def serve(endpoints: int) -> None:
    """All of them, for ever."""
    ports = []
    for endpoint in range(endpoints):
        packed = [gzip.compress(answer(endpoint, beat).encode(), compresslevel=1) for beat in range(2)]
        ports.append(await _listening(packed))
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


async def _listening(packed: list[bytes]) -> int:
    answers = itertools.cycle(_whole(body) for body in packed)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(next(answers))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port


def _whole(body: bytes) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Encoding: gzip\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
