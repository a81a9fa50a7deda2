"""How bad a shortage is: by the share that is missing, by how much that is, and by how long it has lasted.

The worst of share and size counts; age then makes it one step worse, once.
"""

from __future__ import annotations

from models.shortage import Resource, Severity, Unplaced
from twin.planner import Amount, Shortfall
from twin.rules import Rules

LEVELS = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
"""From the least."""

WARNING_SHARE = 100_000
CRITICAL_SHARE = 500_000
"""Missing of demanded, in parts per million, from which a shortage is a warning, or critical."""

WARNING_AMOUNT = Amount(milli_h100e=1_000_000, milliwatts=10**9)
CRITICAL_AMOUNT = Amount(milli_h100e=10_000_000, milliwatts=10**10)
"""1,000 H100 equivalents or 1 MW, and 10,000 or 10 MW: so much missing is at least a warning, or critical, whatever its
share. At about 0.7 kW for an H100 at work the two measures come to much the same."""


def severity_of(shortfall: Shortfall, lasted: int, rules: Rules) -> Severity:
    """The severity of what is short and has been for so many milliseconds."""
    level = max(_by_share(shortfall), _by_size(shortfall.missing))
    aged = bool(rules.escalate_after) and lasted >= rules.escalate_after
    return LEVELS[min(level + aged, len(LEVELS) - 1)]


def worse(severity: Severity, than: Severity) -> bool:
    """Whether one is more severe than another."""
    return LEVELS.index(severity) > LEVELS.index(than)


def _by_share(shortfall: Shortfall) -> int:
    """The share of accelerators where any are demanded, else that of milliwatts.

    What could be had and is not granted is a warning at most: nothing is missing but a decision, and for a single
    demand that waits for its scheduler the share is always the whole.
    """
    share = _share(shortfall)
    return min((share >= WARNING_SHARE) + (share >= CRITICAL_SHARE), _most_by_share(shortfall.resource))


def _most_by_share(resource: Resource) -> int:
    return LEVELS.index(Severity.WARNING if isinstance(resource, Unplaced) else Severity.CRITICAL)


def _share(shortfall: Shortfall) -> int:
    for missing, demanded in (
        (shortfall.missing.accelerators, shortfall.demanded.accelerators),
        (shortfall.missing.milliwatts, shortfall.demanded.milliwatts),
    ):
        if demanded:
            return missing * 1_000_000 // demanded
    return 0


def _by_size(missing: Amount) -> int:
    return sum(
        missing.milli_h100e >= least.milli_h100e or missing.milliwatts >= least.milliwatts
        for least in (WARNING_AMOUNT, CRITICAL_AMOUNT)
    )
