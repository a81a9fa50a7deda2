"""Which of NVIDIA's errors leave a GPU that cannot be given work until it is reset, or its machine restarted.

Source: NVIDIA's Xid catalogue (docs.nvidia.com/deploy/xid-errors), of which these are taken whose remedy is a reset or
a restart; what an application can cause, such as 13, 31 and 43, is told as an event alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from streams.publish.measures import AcceleratorMeasure, NodeMeasure

DISABLING: Mapping[int, str] = {
    48: "memory error of two bits",
    62: "a controller inside has halted",
    64: "rows of memory could not be remapped",
    79: "it has fallen off the bus",
    95: "memory error that was not contained",
    119: "its system processor does not answer",
    120: "its system processor has failed",
    140: "memory error that was not recovered",
}
"""By number, in words."""


def with_faults(measure: NodeMeasure) -> NodeMeasure:
    """The measure with a fault where an accelerator's last error disables it and its source does not say why."""
    if not any(one.xid in DISABLING for one in measure.accelerators):
        return measure
    return replace(measure, accelerators=tuple(map(_with_fault, measure.accelerators)))


def _with_fault(measured: AcceleratorMeasure) -> AcceleratorMeasure:
    if measured.fault is not None or measured.xid is None or measured.xid not in DISABLING:
        return measured
    return replace(measured, fault=f"XID {measured.xid}: {DISABLING[measured.xid]}")
