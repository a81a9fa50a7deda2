"""The demand book: which demands stand, how much of them is pending, and which quotas their tenants have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.demand import DemandRevised
from models.errors import RecordRefused
from models.instants import instant_of, moment_of
from models.ledger import AdmittedDemand, AdmittedEnd, AdmittedTenant
from twin.heads import BookHead
from twin.planner import Quotas

REMEMBERED = 7 * 86_400_000
"""Milliseconds of event time for which a demand that ended or expired is remembered."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The demands at a tick; the same until `until`, none where nothing is to change by itself."""

    demands: list[DemandRevised]
    """Those that stand, in the order of their ids."""
    waiting: int
    """Those that are still to start."""
    expired: int
    """Those that are over without a word of their end, as long as they are remembered."""
    since: int
    until: int | None

    def holds(self, tick: int) -> bool:
        """Whether it is still so at a tick."""
        return self.since <= tick and (self.until is None or tick < self.until)


@dataclass
class DemandBook:
    """Demands and tenants by id; the newest word by its own time stands, whatever the order of arrival.

    Of two words of one instant an end stands, else the one whose text is greater.
    """

    demands: dict[str, AdmittedDemand] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    """When each demand that is gone ended: an older revision that comes late does not bring it back."""
    tenants: dict[str, AdmittedTenant] = field(default_factory=dict)
    forgotten: int = -1
    """The newest word of any demand that was forgotten: an unknown demand with a word no newer may be one of those."""
    _standing: Standing | None = None
    _quotas: Quotas | None = None
    _forgettable: int | None = None
    """No demand is to be forgotten before this; none where that is to be found out."""

    def apply(self, body: AdmittedDemand | AdmittedEnd | AdmittedTenant) -> None:
        """Take in a revision or an end, in canonical order.

        Raises:
            RecordRefused: `too_old`, where it may be of a demand that was forgotten.
        """
        match body:
            case AdmittedTenant():
                stands = self.tenants.get(body.tenant)
                if stands is None or _newer(body, stands):
                    self.tenants[body.tenant] = body
                    self._quotas = None
            case AdmittedDemand():
                self._revise(body)
            case AdmittedEnd():
                self._end(body)

    def _revise(self, body: AdmittedDemand) -> None:
        stands = self.demands.get(body.demand)
        if stands is not None:
            if not _newer(body, stands):
                return
        elif body.demand in self.ended:
            if instant_of(body.at) <= self.ended[body.demand]:
                return
            del self.ended[body.demand]
        elif instant_of(body.at) <= self.forgotten:
            raise RecordRefused(
                "too_old",
                f"demand {body.demand!r} is unknown and at is {body.at.isoformat()}; demands that were gone by"
                f" {moment_of(self.forgotten).isoformat()} are forgotten: state it anew with a later time",
            )
        self.demands[body.demand] = body
        self._changed(_gone(body))

    def _end(self, body: AdmittedEnd) -> None:
        at = instant_of(body.at)
        stands = self.demands.get(body.demand)
        if stands is not None:
            if at < instant_of(stands.at):
                return
            del self.demands[body.demand]
        elif at <= self.ended.get(body.demand, self.forgotten):
            return
        self.ended[body.demand] = at
        self._changed(at)

    def _changed(self, gone: int | None) -> None:
        self._standing = None
        if gone is not None and self._forgettable is not None:
            self._forgettable = min(self._forgettable, gone + REMEMBERED)

    def forget(self, tick: int) -> None:
        """Forget demands that were over, and last spoken of, more than `REMEMBERED` before a tick."""
        if self._forgettable is not None and tick <= self._forgettable:
            return
        gone = {id_: at for id_, demand in self.demands.items() if (at := _gone(demand)) is not None} | self.ended
        for id_ in [id_ for id_, at in gone.items() if at + REMEMBERED < tick]:
            last = self.ended.pop(id_, None)
            if last is None:
                last = instant_of(self.demands.pop(id_).at)
                self._standing = None
            self.forgotten = max(self.forgotten, last)
            del gone[id_]
        self._forgettable = min(gone.values(), default=tick) + REMEMBERED

    def at(self, tick: int) -> Standing:
        """The demands at a tick: the same object as before where nothing has changed."""
        if self._standing is None or not self._standing.holds(tick):
            self._standing = self._stand(tick)
        return self._standing

    def _stand(self, tick: int) -> Standing:
        standing: list[DemandRevised] = []
        waiting = expired = 0
        since, until = -1, None
        for id_ in sorted(self.demands):
            demand = self.demands[id_]
            starts = None if demand.starts_at is None else instant_of(demand.starts_at)
            ends = None if demand.ends_at is None else instant_of(demand.ends_at)
            for turn in (starts, ends):
                if turn is not None and turn <= tick:
                    since = max(since, turn)
                elif turn is not None:
                    until = turn if until is None else min(until, turn)
            if ends is not None and ends <= tick:
                expired += 1
            elif starts is not None and starts > tick:
                waiting += 1
            else:
                standing.append(demand)
        return Standing(standing, waiting, expired, since, until)

    @property
    def quotas(self) -> Quotas:
        """The quotas of all tenants that have any: the same object where nothing has changed."""
        if self._quotas is None:
            self._quotas = {id_: self.tenants[id_].quotas for id_ in sorted(self.tenants) if self.tenants[id_].quotas}
        return self._quotas

    def bodies(self) -> Iterator[AdmittedDemand | AdmittedTenant]:
        """All that it has been told and remembers, but for the ends."""
        yield from self.demands.values()
        yield from self.tenants.values()

    def head(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {
            "demands": _dumped(self.demands),
            "ended": dict(sorted(self.ended.items())),
            "tenants": _dumped(self.tenants),
            "forgotten": self.forgotten,
        }

    def restore(self, head: BookHead) -> None:
        """Become what `head` was taken from."""
        self.demands = {one["demand"]: AdmittedDemand.model_validate(one) for one in head.demands}
        self.ended, self.forgotten = dict(head.ended), head.forgotten
        self.tenants = {one["tenant"]: AdmittedTenant.model_validate(one) for one in head.tenants}
        self._standing = self._quotas = self._forgettable = None


def pending(demand: DemandRevised) -> int:
    """Accelerators that are wanted and not granted."""
    return demand.wanted - demand.granted


def _newer(body: DemandRevised | AdmittedTenant, stands: DemandRevised | AdmittedTenant) -> bool:
    if body.at != stands.at:
        return body.at > stands.at
    return body.model_dump_json() > stands.model_dump_json()


def _gone(demand: DemandRevised) -> int | None:
    """When the last was said of a demand that is over by itself; unknown where it has no end."""
    return None if demand.ends_at is None else max(instant_of(demand.at), instant_of(demand.ends_at))


def _dumped(bodies: Mapping[str, DemandRevised | AdmittedTenant]) -> list[dict[str, Any]]:
    return [bodies[id_].model_dump(mode="json") for id_ in sorted(bodies)]
