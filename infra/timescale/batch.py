"""What the store writes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.dead_letter import DeadLetter
from models.instants import Instant, instant_of
from models.node_frame import NodeFrame
from models.pipeline import PipelineSample
from models.shortage import Shortage
from models.state import FleetState, SiteState


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Repeats within a batch and of earlier batches do no harm."""

    sites: Sequence[SiteState] = ()
    fleet: Sequence[FleetState] = ()
    shortages: Sequence[Shortage] = ()
    nodes: Sequence[NodeFrame] = ()
    letters: Sequence[DeadLetter] = ()
    pipeline: Sequence[PipelineSample] = ()

    @property
    def newest(self) -> Instant | None:
        """The newest tick of its states and frames."""
        ticks = [instant_of(state.tick) for state in (*self.sites, *self.fleet)]
        return max([*ticks, *(Instant(frame.tick) for frame in self.nodes)], default=None)
