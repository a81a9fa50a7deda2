"""Too much of a site unknown: a shortage of sight, whatever demand there is."""

from __future__ import annotations

from collections.abc import Mapping

from models.catalogue import Catalogue
from models.shortage import Binding, Constraint, Scope, ScopeKind, Visibility
from twin.planner import Amount, Shortfall
from twin.view import MILLION, SiteView


def visibility(view: SiteView, catalogue: Catalogue, unknown_above: int) -> Shortfall | None:
    """The shortfall of a site of whose accelerators more than `unknown_above` parts per million are unknown."""
    unknown = {type_: count for type_, count in view.unknown().items() if count}
    whole = view.there()
    total, dark = sum(whole.values()), sum(unknown.values())
    if dark * MILLION <= total * unknown_above:
        return None
    types = tuple(sorted(unknown))
    return Shortfall(
        scope=Scope(kind=ScopeKind.SITE, name=view.site),
        resource=Visibility(),
        demanded=_worth(whole, catalogue),
        missing=_worth(unknown, catalogue),
        binding=Binding(
            constraint=Constraint.VISIBILITY,
            sites=(view.site,),
            types=types,
            summary=f"{dark} of {total} accelerators at {view.site} are unknown",
        ),
        projects=(),
    )


def _worth(counts: Mapping[str, int], catalogue: Catalogue) -> Amount:
    worth = sum(catalogue[type_].milli_h100e * count for type_, count in counts.items())
    return Amount(sum(counts.values()), worth)
