"""Accelerators that run hot: of each node that a scripted fault strikes the hottest one becomes much hotter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.scenario import ScriptedFault

DEGREES = (17.0, 25.0)
"""At the usual load most of those struck come above 80 degrees Celsius, and a few above 85."""


class Heat:
    """How many degrees the hottest accelerator of each node of a site is hotter than its work makes it."""

    def __init__(self, pools: Mapping[str, slice], nodes: int, rng: np.random.Generator) -> None:
        self.degrees = np.zeros(nodes, dtype=np.float32)
        self._pools, self._rng = pools, rng
        self._faults: dict[int, NDArray[np.float32]] = {}

    def strike(self, index: int, fault: ScriptedFault) -> None:
        """Let a scripted fault begin on nodes chosen at random."""
        part = self._pools[fault.type]
        struck = part.start + self._rng.permutation(part.stop - part.start)[: fault.nodes]
        degrees = np.zeros(len(self.degrees), dtype=np.float32)
        degrees[struck] = self._rng.uniform(*DEGREES, len(struck))
        self._faults[index] = degrees
        self._refresh()

    def relieve(self, index: int) -> None:
        """End a scripted fault."""
        self._faults.pop(index, None)
        self._refresh()

    def _refresh(self) -> None:
        """Nodes that several faults strike are as hot as the worst makes them."""
        self.degrees = np.max([np.zeros_like(self.degrees), *self._faults.values()], axis=0)
