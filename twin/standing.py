"""How the nodes' latest words stand at a tick: how lately each was heard, how its watts are known, what it counts.

Here and wherever else columns are compared, it is with the `value` of an enumeration's member: NumPy takes five times
as long with the member itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.columns import UNKNOWN as NOT_SAID
from models.columns import Codes, Integers
from models.node_frame import Hearing, PowerSource
from models.reading import StateCode
from twin.nodes import NEVER
from twin.rows import Row
from twin.rules import Rules

Mask = NDArray[np.bool_]


def hearing_of(known: Integers, tick: int, rules: Rules) -> Codes:
    """`Hearing` of each node: how old its latest reading is at the tick."""
    at = known[Row.AT]
    hearing = np.full(len(at), Hearing.REPORTING.value, dtype=np.int8)
    if at.min(initial=tick) >= max(tick - min(rules.stale_after, rules.lost_after), 0):
        return hearing  # as mostly
    age = tick - at
    hearing[age > rules.stale_after] = Hearing.STALE.value
    hearing[(age > rules.lost_after) | (at == NEVER)] = Hearing.LOST.value
    return hearing


def power_source_of(known: Integers, hearing: Codes) -> Codes:
    """`PowerSource` of each node's `DRAWN`; the watts of a lost node are as unknown as those never said."""
    source = np.full(len(hearing), PowerSource.MEASURED.value, dtype=np.int8)
    source[known[Row.POWER] == NOT_SAID] = PowerSource.MODELLED.value
    source[hearing == Hearing.STALE.value] = PowerSource.CARRIED.value
    source[(known[Row.DRAWN] == NEVER) | (hearing == Hearing.LOST.value)] = PowerSource.UNKNOWN.value
    return source


def usable(known: Integers, hearing: Codes) -> Mask:
    """Which nodes are in service, as far as can be known."""
    serving: Mask = (hearing != Hearing.LOST.value) & (known[Row.STATE] == StateCode.IN_SERVICE.value)
    return serving


def held_idle(known: Integers, hearing: Codes, tick: int, rules: Rules) -> Mask:
    """Which nodes are allocated and have done nothing for long."""
    since = known[Row.IDLE_SINCE]
    lasted = (since != NEVER) & (since <= tick - rules.idle_after)
    idles: Mask = lasted & (hearing == Hearing.REPORTING.value)
    return idles


def tells_utilization(known: Integers, hearing: Codes) -> Mask:
    """Which nodes count in a mean utilisation, each with its accelerators in service."""
    busy: Mask = usable(known, hearing) & (hearing == Hearing.REPORTING.value) & (known[Row.UTILIZATION] != NOT_SAID)
    return busy
