"""The demand book: which demands stand, and how much of them is pending."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from models.demand import DemandRevised
from models.instants import instant_of
from models.ledger import AdmittedDemand, AdmittedEnd


@dataclass
class DemandBook:
    """Demands by id; the newest word by its own time stands, whatever the order of arrival."""

    demands: dict[str, DemandRevised] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    """When each demand that is gone ended: an older revision that comes late does not bring it back."""

    def apply(self, body: AdmittedDemand | AdmittedEnd) -> None:
        """Take in a revision or an end, in canonical order."""
        at = instant_of(body.at)
        ended = self.ended.get(body.demand, -1)
        if at < max(ended, self._at(body.demand)):
            return
        if isinstance(body, AdmittedEnd):
            self.demands.pop(body.demand, None)
            self.ended[body.demand] = at
        elif at > ended:
            self.demands[body.demand] = body

    def _at(self, demand: str) -> int:
        return instant_of(self.demands[demand].at) if demand in self.demands else 0

    def standing(self, tick: int) -> list[DemandRevised]:
        """The demands that stand at a tick, in the order of their ids."""
        return [self.demands[id_] for id_ in sorted(self.demands) if _stands(self.demands[id_], tick)]

    def head(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {
            "demands": [self.demands[id_].model_dump(mode="json") for id_ in sorted(self.demands)],
            "ended": self.ended,
        }

    def restore(self, head: dict[str, Any]) -> None:
        """Become what `head` was taken from."""
        self.demands = {one["demand"]: AdmittedDemand.model_validate(one) for one in head["demands"]}
        self.ended = head["ended"]


def pending(demand: DemandRevised) -> int:
    """Accelerators that are wanted and not granted."""
    return demand.wanted - demand.granted


def by_precedence(demands: Iterable[DemandRevised]) -> list[DemandRevised]:
    """In the order in which they are served: higher priority first, then by id."""
    return sorted(demands, key=lambda demand: (-demand.priority, demand.demand))


def _stands(demand: DemandRevised, tick: int) -> bool:
    begun = demand.starts_at is None or instant_of(demand.starts_at) <= tick
    return begun and (demand.ends_at is None or tick < instant_of(demand.ends_at))
