"""The traces that fleettwin knows, each with a module and the manifest of its files beside it.

The modules are quick to import: what reads a trace is imported by its functions.
"""

from __future__ import annotations

from typing import Any

from models.errors import ConfigurationError
from streams.traces.known.alibaba import ALIBABA
from streams.traces.known.helios import HELIOS
from streams.traces.known.mlperf import MLPERF
from streams.traces.trace import Trace

TRACES: tuple[Trace[Any], ...] = (MLPERF, HELIOS, ALIBABA)


def trace_named(name: str) -> Trace[Any]:
    """The trace of that name.

    Raises:
        ConfigurationError: there is none.
    """
    for trace in TRACES:
        if trace.name == name:
            return trace
    raise ConfigurationError("the trace", name, f"one of {', '.join(trace.name for trace in TRACES)}")
