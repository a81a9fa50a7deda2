"""The GPU models of a trace as accelerator types: shipped ones where they are, and entries for a catalogue beside it.

What a model draws and computes is no part of such a trace. Where it is not known either, as of the models that Alibaba
does not disclose, the entry says that its figures are placeholders: counts are right with them, watts are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from models.catalogue import Catalogue, extended_catalogue, shipped_catalogue
from streams.traces.alibaba import Node, usual_gpus

_SHIPPED = {"A10": "a10", "P100": "p100-pcie", "T4": "t4"}
_LIKE = {"V100M16": "v100-sxm2", "V100M32": "v100-sxm2"}
"""Models that pods tell apart where the catalogue does not."""

_PLACEHOLDERS = {
    "vendor": "undisclosed",
    "bf16_tflops": None,
    "idle_watts": 30,
    "typical_watts": 150,
    "max_watts": 300,
    "host_idle_watts": 300,
    "host_max_watts": 800,
    "power_model_error": 1.0,
}


def type_of(model: str) -> str:
    """The id of a model's type; capitals do not tell models apart."""
    return _SHIPPED.get(model.upper(), model.lower())


def catalogue_text(models: Sequence[str], nodes: Sequence[Node]) -> str:
    """YAML with an entry for each model that the shipped catalogue does not know, empty if there is none."""
    shipped = shipped_catalogue()
    missing = {type_of(model): model for model in models if type_of(model) not in shipped}
    entries = {type_: _entry(model, usual_gpus(nodes, model), shipped) for type_, model in sorted(missing.items())}
    return yaml.safe_dump(entries, sort_keys=False, width=120) if entries else ""


def trace_catalogue(models: Sequence[str], nodes: Sequence[Node]) -> Catalogue:
    """The shipped catalogue with the entries of `catalogue_text`."""
    text = catalogue_text(models, nodes)
    return extended_catalogue(text, "the trace's catalogue") if text else shipped_catalogue()


def _entry(model: str, per_node: int, shipped: Catalogue) -> dict[str, Any]:
    like = _LIKE.get(model.upper())
    if like is None:
        source = f"placeholder: the trace does not say what {model} is; put its own figures here before trusting watts"
        return {"name": model, **_PLACEHOLDERS, "per_node": per_node, "sources": [source]}
    figures = shipped[like].model_dump(mode="json", include=set(_PLACEHOLDERS))
    source = f"as {like} of the shipped catalogue; the trace tells {model} apart by its memory"
    return {"name": model, **figures, "per_node": per_node, "sources": [source]}
