"""The AMD GPUs of the machine that the publisher runs on."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import cast

from models.errors import Unavailable
from streams.publish.amd.driver import AmdDriver
from streams.publish.amd.library import AmdSmi
from streams.publish.options import SourceOptions
from streams.publish.own_machine import OwnMachine


def source_of(options: SourceOptions) -> OwnMachine:
    """A source of this machine's GPUs; nothing is asked before `discover` or `sample`.

    Raises:
        Unavailable: ROCm's library is not there, or is older than its Python module.
    """
    return OwnMachine("amdsmi", AmdDriver(_loaded()), options)


def _loaded() -> AmdSmi:
    """The module, which loads ROCm's library when it is imported, and prints and trips where it finds none."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):  # what the publisher prints is for machines
            import amdsmi  # noqa: PLC0415  # needs ROCm, and is slow to import
    except (KeyError, OSError, AttributeError) as error:
        why = next(iter(printed.getvalue().splitlines()), None) or f"libamd_smi.so cannot be used ({error})"
        way_out = "Install ROCm's amd-smi-lib, of version 7 as the module amdsmi, or set ROCM_PATH to where it is"
        raise Unavailable(AmdDriver.what, why, way_out) from None
    return cast(AmdSmi, amdsmi)
