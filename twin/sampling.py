"""From the nodes' latest words to the sample of their site at the close of a tick."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.columns import UNKNOWN as NOT_SAID
from models.columns import Codes, Integers
from models.node_frame import Hearing
from models.reading import StateCode
from models.sample import Intake, NodeCounts, Pool, PowerSplit, SiteSample
from twin.nodes import HALF_MICROJOULES, NEVER, NodeTable, run_of
from twin.rows import Row
from twin.rules import Rules
from twin.standing import hearing_of, held_idle, tells_utilization, usable


def sample_site(
    site: str, nodes: NodeTable, tick: int, rules: Rules, observed: int, late: int, refused: int
) -> SiteSample:
    """The sample of a site; the three counts are its intake beside what the table counts."""
    known = _where(nodes.known, nodes.known[Row.AT] != NEVER)
    hearing = hearing_of(known, tick, rules)
    reporting, stale = hearing == Hearing.REPORTING.value, hearing == Hearing.STALE.value
    lost = hearing == Hearing.LOST.value
    serving = usable(known, hearing)
    counts = nodes.counts
    return SiteSample(
        site=site,
        tick=tick,
        nodes=NodeCounts(
            reporting=np.count_nonzero(reporting),
            stale=np.count_nonzero(stale),
            lost=np.count_nonzero(lost),
            in_service=np.count_nonzero(serving),
            draining=np.count_nonzero(~lost & (known[Row.STATE] == StateCode.DRAINING.value)),
            maintenance=np.count_nonzero(~lost & (known[Row.STATE] == StateCode.MAINTENANCE.value)),
            failed=np.count_nonzero(~lost & (known[Row.STATE] == StateCode.FAILED.value)),
        ),
        pools=tuple(
            _pool(nodes.catalogue.ids[code], known[:, mine], hearing[mine], tick, rules)
            for code, mine in _kinds(known[Row.CODE])
        ),
        power=_power(known, reporting, stale),
        energy_joules=int(known[Row.JOULES].sum()) + int(known[Row.REST].sum()) // HALF_MICROJOULES,
        gaps=counts.gaps,
        newest=int(known[Row.AT].max(initial=NEVER)),
        intake=Intake(
            observed=observed, duplicate=counts.duplicate, superseded=counts.superseded, late=late, refused=refused
        ),
    )


def _where(known: Integers, which: NDArray[np.bool_]) -> Integers:
    """The nodes that are meant; mostly all are, and need no copy."""
    return known if which.all() else known[:, which]


def _kinds(codes: Integers) -> Iterator[tuple[int, Integers | slice]]:
    """The codes of the types that there are, in their order, and which nodes are of each."""
    kinds = np.flatnonzero(np.bincount(codes)).tolist()
    for kind in kinds:
        yield kind, run_of(np.flatnonzero(codes == kind)) if len(kinds) > 1 else slice(None)


def _total(amounts: Integers, which: NDArray[np.bool_]) -> int:
    """Of the nodes that are meant: mostly all or none; else NumPy is faster at multiplying than at picking out."""
    if which.all():
        return int(amounts.sum())
    return int((amounts * which).sum()) if which.any() else 0


def _power(known: Integers, reporting: NDArray[np.bool_], stale: NDArray[np.bool_]) -> PowerSplit:
    drawn = np.maximum(known[Row.DRAWN], 0)
    measured = known[Row.POWER] != NOT_SAID
    return PowerSplit(
        measured=_total(drawn, reporting & measured),
        modelled=_total(drawn, reporting & ~measured),
        carried=_total(drawn, stale),
        unknown_nodes=np.count_nonzero((reporting | stale) & (known[Row.DRAWN] == NEVER)),
    )


def _pool(type_: str, known: Integers, hearing: Codes, tick: int, rules: Rules) -> Pool:
    reporting, lost, serving = hearing == Hearing.REPORTING.value, hearing == Hearing.LOST.value, usable(known, hearing)
    allocated = np.maximum(known[Row.ALLOCATED], 0)
    said = known[Row.ALLOCATED] != NOT_SAID
    open_ = serving & reporting & said
    free = np.maximum(known[Row.IN_SERVICE] - allocated, 0)
    busy = tells_utilization(known, hearing)
    weight = known[Row.IN_SERVICE] * busy
    weights = int(weight.sum())
    histogram = np.bincount(free[open_ & (known[Row.IN_SERVICE] > 0)])
    return Pool(
        type=type_,
        installed=_total(known[Row.INSTALLED], ~lost),
        in_service=_total(known[Row.IN_SERVICE], serving),
        allocated=_total(allocated, ~lost),
        free=_total(free, open_),
        held_idle=_total(allocated, held_idle(known, hearing, tick, rules)),
        allocation_unknown=_total(known[Row.IN_SERVICE], serving & ~said),
        lost=_total(known[Row.INSTALLED], lost),
        free_per_node=tuple(histogram.tolist()),
        utilization_ppm=int((known[Row.UTILIZATION] * weight).sum()) // weights if weights else 0,
        utilization_known=weights,
    )
