"""A cluster of mixed GPUs and the pods that came to it, Alibaba 2023."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from models.errors import ConfigurationError
from streams.traces.trace import Argument, Beside, Conversion, Listed, Option, Trace
from twin.rules import Rules

NODES, PODS = "openb_node_list_all_node.csv", "openb_pod_list_default.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which cluster, and which pods."""

    folder: Annotated[Path | None, Argument(f"With {NODES} and {PODS} in it.")] = None
    nodes: Annotated[Path | None, Option("--nodes", "CSV of other nodes, plain or gzipped.")] = None
    pods: Annotated[Path | None, Option("--pods", "CSV of other pods, plain or gzipped.")] = None
    catalogue: Annotated[
        Path | None,
        Option(
            "--catalogue",
            "Where entries go for GPU models that the shipped catalogue does not know; beside the log if unset.",
        ),
    ] = None


def runs(folder: Path) -> Sequence[Listed]:
    """The one cluster."""
    from streams.traces.alibaba import read_nodes, read_pods  # noqa: PLC0415  # only where it is needed

    nodes, pods = read_nodes(_file(folder, NODES)), read_pods(_file(folder, PODS))
    gpus = sum(node.gpus for node in nodes)
    return [
        Listed("openb", f"{len(nodes):>4} nodes {gpus:>6} GPUs {sum(pod.gpus > 0 for pod in pods):>6} pods with GPUs")
    ]


def convert(choice: Choice) -> Conversion:
    """A cluster of mixed GPUs that fills: pods as demands in the order of their creation, packed by best fit.

    What a twin needs to know of the GPU models is written beside the log; which setting reads it is told in the end.
    """
    from streams.traces import alibaba  # noqa: PLC0415  # pyarrow takes long to import
    from streams.traces.filling import Filling  # noqa: PLC0415
    from streams.traces.gpu_models import catalogue_text  # noqa: PLC0415
    from streams.traces.inventory import inventory_records  # noqa: PLC0415

    cluster = alibaba.read_nodes(choice.nodes or _file(choice.folder, NODES, "--nodes"))
    arrivals = alibaba.read_pods(choice.pods or _file(choice.folder, PODS, "--pods"))
    filling = Filling(cluster)
    entries = catalogue_text(alibaba.models_of(cluster, arrivals), cluster)
    beside = Beside("FLEETTWIN_TWIN__CATALOGUE", ".catalogue.yaml", entries, choice.catalogue)
    return Conversion(
        header={},
        records=inventory_records(filling.steps(arrivals), "traces/alibaba", Rules().tick),
        summary=lambda: f"{filling.placed + filling.refused} pods with GPUs, {filling.refused} of them not placed,",
        beside=(beside,) if entries else (),
    )


def _file(folder: Path | None, name: str, option: str = "") -> Path:
    if folder is None:
        raise ConfigurationError(option, None, f"a CSV file, or a folder with {name}")
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise ConfigurationError("the folder of the trace", str(folder), f"a folder with {name}")


ALIBABA = Trace(
    name="alibaba",
    title="a cluster of 6,212 mixed GPUs and the 8,152 pods that came to it, Alibaba's cluster-trace-gpu-v2023",
    source="https://github.com/alibaba/clusterdata",
    licence="none stated; 'however you want as long as it is for reseach or study purpose' (README of the repository)",
    files=f"{NODES} and {PODS}, plain or gzipped",
    choices=Choice,
    runs=runs,
    convert=convert,
)
