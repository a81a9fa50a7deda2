"""Builders of nodes and pods of the Alibaba trace: whatever a test does not speak of is plenty, or as in the trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streams.traces.alibaba import WHOLE, Node, Pod

NODES = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
PODS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec", "qos", "pod_phase", "creation_time")


def node(name: str = "n", gpus: int = 8, model: str = "T4", **said: Any) -> Node:
    """A node; without GPUs it has no model."""
    unsaid: dict[str, Any] = {"cpu_milli": 96_000, "memory_mib": 393_216}
    return Node(name=name, gpus=gpus, model=model if gpus else "", **unsaid | said)


def pod(name: str = "p", gpus: int = 1, share: int = WHOLE, **said: Any) -> Pod:
    """A pod that any model will do for."""
    unsaid: dict[str, Any] = {"cpu_milli": 1000, "memory_mib": 1024, "models": (), "created": 0}
    return Pod(name=name, gpus=gpus, share=share if gpus else 0, **unsaid | said)


def write_nodes(path: Path, *nodes: Node) -> Path:
    """The nodes as CSV."""
    rows = [(one.name, one.cpu_milli, one.memory_mib, one.gpus, one.model) for one in nodes]
    return _write(path, NODES, rows)


def write_pods(path: Path, *pods: Pod) -> Path:
    """The pods as CSV."""
    rows = [
        (
            *(one.name, one.cpu_milli, one.memory_mib, one.gpus, one.share),
            *("|".join(one.models), "LS", "Running", one.created),
        )
        for one in pods
    ]
    return _write(path, PODS, rows)


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Path:
    path.write_text("".join(",".join(str(value) for value in row) + "\n" for row in [header, *rows]))
    return path
