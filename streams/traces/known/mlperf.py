"""Node power of MLPerf Training v4.0 runs, measured by Sustainable Metal Cloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from models.errors import ConfigurationError
from streams.traces.measured import Measured
from streams.traces.trace import Argument, Conversion, Listed, Option, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which run, and what the trace does not say of its site."""

    folder: Annotated[Path, Argument("With smc-ac-power and smc-dc-power as they were downloaded.")]
    run: Annotated[str, Option("--run", "A name that `fleettwin traces list` shows.")]
    kind: Annotated[Measured, Option("--kind", "Measured at the wall, or behind the supplies.")] = Measured.AC
    site: Annotated[str, Option("--site", "What to call the site.")] = "smc"
    supply_mw: Annotated[
        float | None, Option("--supply-mw", "What the site may draw; without it, no site facts.", least=0)
    ] = None
    pue: Annotated[float, Option("--pue", "Of the site; needs --supply-mw.", least=1, most=5)] = 1.0


def runs(folder: Path) -> Sequence[Listed]:
    """The runs whose samples are there, small ones first."""
    from streams.traces.mlperf import read_samples  # noqa: PLC0415  # pyarrow takes long to import

    return [Listed(run.name, f"{run.nodes:>4} nodes {run.samples:>8} samples") for run in read_samples(folder).runs()]


def convert(choice: Choice) -> Conversion:
    """Node power of an MLPerf Training run: readings as frames, with a clock each second."""
    from streams.traces import mlperf  # noqa: PLC0415  # pyarrow takes long to import
    from streams.traces.stream import TraceSite, trace_records  # noqa: PLC0415

    if choice.pue != 1.0 and choice.supply_mw is None:
        raise ConfigurationError("--pue", choice.pue, "--supply-mw with it")
    samples = mlperf.read_samples(choice.folder, choice.run)
    power = samples.power(samples.run(choice.run), choice.kind)
    site = TraceSite(
        site=choice.site,
        type=mlperf.TYPE,
        accelerators=mlperf.ACCELERATORS,
        source=f"traces/mlperf/{choice.run}/{choice.kind}",
        supply_watts=None if choice.supply_mw is None else choice.supply_mw * 1e6,
        pue=choice.pue,
    )
    return Conversion(
        header={"run": choice.run, "kind": choice.kind, "site": choice.site},
        records=trace_records(power, site),
        summary=lambda: f"{len(power.at)} readings of {len(power.nodes)} nodes",
    )


MLPERF = Trace(
    name="mlperf",
    title="node power of MLPerf Training v4.0 runs on nodes of 8 H100, Sustainable Metal Cloud",
    source="https://github.com/mlcommons/training_results_v4.0",
    licence="Apache-2.0",
    files="smc-ac-power and smc-dc-power of the repository, or any of their node_N.txt",
    choices=Choice,
    runs=runs,
    convert=convert,
)
