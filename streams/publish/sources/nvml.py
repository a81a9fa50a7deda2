"""The NVIDIA GPUs of the machine that the publisher runs on."""

from __future__ import annotations

import pynvml

from streams.publish.nvidia.driver import NvidiaDriver
from streams.publish.options import SourceOptions
from streams.publish.own_machine import OwnMachine


def source_of(options: SourceOptions) -> OwnMachine:
    """A source of this machine's GPUs; nothing is asked before `discover` or `sample`."""
    return OwnMachine("nvml", NvidiaDriver(pynvml), options)
