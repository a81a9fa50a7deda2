"""Alibaba's GPU cluster of 2023: its nodes, and the pods that came to it, as two CSV files.

Source: github.com/alibaba/clusterdata, `cluster-trace-gpu-v2023` ("openb"), for research and study: nodes as
`sn, cpu_milli, memory_mib, gpu, model`; pods as `name, cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec,
creation_time` and more. It is a trace of arrivals: pods are admitted in the order in which they were created and never
end, so the cluster fills.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import ConfigurationError
from models.names import LONGEST_NAME

WHOLE = 1000
"""Thousandths of a GPU: what a pod asks of each GPU that it does not share."""

MOST = 1_000_000_000
MOST_GPUS = 1024
"""On one node; a larger number is a mistake."""

_NODE_COLUMNS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
_POD_COLUMNS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec", "creation_time")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Node:
    """A host; without GPUs its model is empty."""

    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    model: str


@dataclass(frozen=True, slots=True)
class Pod:
    """What came to be placed on one node."""

    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    share: int
    """Thousandths of each of its GPUs; less than `WHOLE` only of a single one."""
    models: tuple[str, ...]
    """Of GPUs that will do, sorted; empty means any."""
    created: int
    """Seconds."""

    @property
    def shares(self) -> bool:
        """Whether a part of a GPU will do."""
        return self.gpus == 1 and self.share < WHOLE

    @property
    def milli(self) -> int:
        """Thousandths of GPUs, all together."""
        return self.gpus * self.share


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a CSV file, by column."""

    path: Path
    number: int
    values: Mapping[str, str]

    def wrong(self, column: str, expected: str) -> ConfigurationError:
        """The error that names the value of a column."""
        return ConfigurationError(f"{self.path}: line {self.number}: {column}", self.values[column], expected)

    def whole(self, column: str, most: int = MOST) -> int:
        """A whole number."""
        text = self.values[column].strip()
        if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)) or int(text) > most:
            raise self.wrong(column, f"a whole number from 0 to {most}")
        return int(text)

    def name(self, column: str, text: str | None = None) -> str:
        """A name."""
        text = self.values[column] if text is None else text
        if not text or len(text) > LONGEST_NAME or not text.isprintable():
            raise self.wrong(column, f"a printable name of at most {LONGEST_NAME} characters")
        return text


def read_nodes(path: Path) -> tuple[Node, ...]:
    """The nodes of a CSV file, plain or gzipped, in its order; those without GPUs as well.

    Raises:
        ConfigurationError: naming file, line, column and value.
    """
    nodes: dict[str, Node] = {}
    for line in _lines(path, _NODE_COLUMNS):
        name, gpus = line.name("sn"), line.whole("gpu", MOST_GPUS)
        if name in nodes:
            raise line.wrong("sn", "a node that no line above names")
        model = line.name("model") if gpus else ""
        nodes[name] = Node(name, line.whole("cpu_milli"), line.whole("memory_mib"), gpus, model)
    if not any(node.gpus for node in nodes.values()):
        raise ConfigurationError(str(path), f"{len(nodes)} nodes", "at least one node with GPUs")
    return tuple(nodes.values())


def read_pods(path: Path) -> tuple[Pod, ...]:
    """The pods of a CSV file, plain or gzipped, in the order of their creation; of one instant, in the file's order.

    Raises:
        ConfigurationError: naming file, line, column and value.
    """
    pods: dict[str, Pod] = {}
    for line in _lines(path, _POD_COLUMNS):
        name = line.name("name")
        if name in pods:
            raise line.wrong("name", "a pod that no line above names")
        pods[name] = _pod(line, name)
    if not any(pod.gpus for pod in pods.values()):
        raise ConfigurationError(str(path), f"{len(pods)} pods", "at least one pod with GPUs")
    return tuple(sorted(pods.values(), key=lambda pod: pod.created))


def _pod(line: _Line, name: str) -> Pod:
    gpus = line.whole("num_gpu", MOST_GPUS)
    share = line.whole("gpu_milli", WHOLE) if gpus else 0
    if gpus and not share:
        raise line.wrong("gpu_milli", f"1 to {WHOLE} of a pod with GPUs")
    if gpus > 1 and share != WHOLE:
        raise line.wrong("gpu_milli", f"{WHOLE} of a pod with more than one GPU")
    spec = line.values["gpu_spec"].strip()
    models = {line.name("gpu_spec", model.strip()) for model in spec.split("|")} if spec else set()
    return Pod(
        name=name,
        cpu_milli=line.whole("cpu_milli"),
        memory_mib=line.whole("memory_mib"),
        gpus=gpus,
        share=share,
        models=tuple(sorted(models)),
        created=line.whole("creation_time"),
    )


def models_of(nodes: Sequence[Node], pods: Sequence[Pod]) -> tuple[str, ...]:
    """All models that nodes have or pods ask for, sorted."""
    return tuple(sorted({node.model for node in nodes if node.gpus} | {model for pod in pods for model in pod.models}))


def usual_gpus(nodes: Sequence[Node], model: str) -> int:
    """How many GPUs of the model most of its nodes have, the fewer where as many have more; 1 where no node has any."""
    counts = sorted(node.gpus for node in nodes if node.gpus and node.model == model)
    return max(sorted(set(counts)), key=counts.count, default=1)


def _lines(path: Path, columns: tuple[str, ...]) -> Iterator[_Line]:
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="")
            if packed
            else path.open(encoding="utf-8-sig", newline="") as text
        ):
            reader = csv.reader(text, strict=True)
            header = next(reader, [])
            missing = [column for column in columns if header.count(column) != 1]
            if missing:
                raise ConfigurationError(f"{path}: line 1", ",".join(header)[:200], f"a column {missing[0]}, once")
            for row in reader:
                if row and len(row) != len(header):
                    short = header[len(row)] if len(row) < len(header) else header[-1]
                    where = f"{path}: line {reader.line_num}: {short}"
                    raise ConfigurationError(where, ",".join(row)[:200], f"{len(header)} values")
                if row:
                    yield _Line(path, reader.line_num, dict(zip(header, row, strict=True)))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(str(path), str(error)[:200], "a whole CSV file, plain or gzipped") from None
