"""From the nodes' latest words to the sample of their site at the close of a tick."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.columns import UNKNOWN as NOT_SAID
from models.columns import Integers
from models.node_frame import Hearing
from models.reading import StateCode
from models.sample import Intake, NodeCounts, Pool, PowerSplit, SiteSample
from twin.nodes import HALF_MICROJOULES, NEVER, NodeTable
from twin.rows import Row
from twin.rules import Rules


def hearing_of(known: Integers, tick: int, rules: Rules) -> Integers:
    """`Hearing` of each node: how old its latest reading is at the tick."""
    age = tick - known[Row.AT]
    return np.where(
        (known[Row.AT] == NEVER) | (age > rules.lost_after),
        Hearing.LOST,
        np.where(age > rules.stale_after, Hearing.STALE, Hearing.REPORTING),
    ).astype(np.int64)


def sample_site(
    site: str, nodes: NodeTable, tick: int, rules: Rules, observed: int, late: int, refused: int
) -> SiteSample:
    """The sample of a site; the three counts are its intake beside what the table counts."""
    known = nodes.known[:, nodes.known[Row.AT] != NEVER]
    hearing = hearing_of(known, tick, rules)
    reporting, stale = hearing == Hearing.REPORTING, hearing == Hearing.STALE
    lost = hearing == Hearing.LOST
    usable = ~lost & (known[Row.STATE] == StateCode.IN_SERVICE)
    counts = nodes.counts
    return SiteSample(
        site=site,
        tick=tick,
        nodes=NodeCounts(
            reporting=int(reporting.sum()),
            stale=int(stale.sum()),
            lost=int(lost.sum()),
            in_service=int(usable.sum()),
            draining=int((~lost & (known[Row.STATE] == StateCode.DRAINING)).sum()),
            maintenance=int((~lost & (known[Row.STATE] == StateCode.MAINTENANCE)).sum()),
            failed=int((~lost & (known[Row.STATE] == StateCode.FAILED)).sum()),
        ),
        pools=tuple(
            _pool(nodes.catalogue.ids[code], known[:, mine], reporting[mine], lost[mine], usable[mine], tick, rules)
            for code in np.unique(known[Row.CODE]).tolist()
            for mine in [known[Row.CODE] == code]
        ),
        power=_power(known, reporting, stale),
        energy_joules=int(known[Row.JOULES].sum()) + int(known[Row.REST].sum()) // HALF_MICROJOULES,
        gaps=counts.gaps,
        newest=int(known[Row.AT].max(initial=NEVER)),
        intake=Intake(
            observed=observed, duplicate=counts.duplicate, superseded=counts.superseded, late=late, refused=refused
        ),
    )


def _power(known: Integers, reporting: NDArray[np.bool_], stale: NDArray[np.bool_]) -> PowerSplit:
    drawn = np.maximum(known[Row.DRAWN], 0)
    measured = known[Row.POWER] != NOT_SAID
    return PowerSplit(
        measured=int(drawn[reporting & measured].sum()),
        modelled=int(drawn[reporting & ~measured].sum()),
        carried=int(drawn[stale].sum()),
        unknown_nodes=int(((reporting | stale) & (known[Row.DRAWN] == NEVER)).sum()),
    )


def _pool(
    type_: str,
    known: Integers,
    reporting: NDArray[np.bool_],
    lost: NDArray[np.bool_],
    usable: NDArray[np.bool_],
    tick: int,
    rules: Rules,
) -> Pool:
    allocated = np.maximum(known[Row.ALLOCATED], 0)
    said = known[Row.ALLOCATED] != NOT_SAID
    open_ = usable & reporting & said
    free = np.maximum(known[Row.IN_SERVICE] - allocated, 0)[open_]
    idles = reporting & (known[Row.IDLE_SINCE] != NEVER) & (tick - known[Row.IDLE_SINCE] >= rules.idle_after)
    busy = usable & reporting & (known[Row.UTILIZATION] != NOT_SAID)
    weight = known[Row.IN_SERVICE][busy]
    weights = int(weight.sum())
    histogram = np.bincount(free[known[Row.IN_SERVICE][open_] > 0])
    return Pool(
        type=type_,
        installed=int(known[Row.INSTALLED][~lost].sum()),
        in_service=int(known[Row.IN_SERVICE][usable].sum()),
        allocated=int(allocated[~lost].sum()),
        free=int(free.sum()),
        held_idle=int(allocated[idles].sum()),
        allocation_unknown=int(known[Row.IN_SERVICE][usable & ~said].sum()),
        lost=int(known[Row.INSTALLED][lost].sum()),
        free_per_node=tuple(histogram.tolist()),
        utilization_ppm=int((known[Row.UTILIZATION][busy] * weight).sum()) // weights if weights else 0,
        utilization_known=weights,
    )
