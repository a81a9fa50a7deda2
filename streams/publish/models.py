"""Which type of the catalogue an accelerator is, by the name that its maker's software gives it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from pydantic import TypeAdapter

from models.errors import ConfigurationError
from models.strict_yaml import read_yaml

_MAKERS = re.compile(r"^((NVIDIA|Tesla|AMD|Instinct|Intel|Habana)\s+)+", re.IGNORECASE)


def type_of(model: str) -> str | None:
    """The catalogue's id of a product as NVML, AMD SMI or an exporter calls it; none where `models.yaml` has no such.

    Underscores count as blanks: exporters write both.
    """
    name = _MAKERS.sub("", " ".join(model.replace("_", " ").split()) + " ", count=1).rstrip()
    return next((type_ for pattern, type_ in _patterns() if pattern.fullmatch(name)), None)


def type_of_all(models: Iterable[str], setting: str) -> str:
    """The one type of a node's accelerators; `setting` is what the user would say it with, for messages.

    Raises:
        ConfigurationError: none of the catalogue is known to be that model, or the node's accelerators are of several.
    """
    found = {model: type_of(model) for model in models}
    for model, type_ in found.items():
        if type_ is None:
            raise ConfigurationError(
                setting, model, "the catalogue's id of this model, or an entry of your own in FLEETTWIN_TWIN__CATALOGUE"
            )
    types = {type_ for type_ in found.values() if type_ is not None}
    if len(types) != 1:
        raise ConfigurationError(setting, sorted(found), "a type, as the accelerators of this node are not of one")
    return types.pop()


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    text = files("streams.publish").joinpath("models.yaml").read_text("utf-8")
    said = TypeAdapter(dict[str, tuple[str, ...]]).validate_python(read_yaml(text, "streams/publish/models.yaml"))
    return tuple(
        (re.compile(pattern, re.IGNORECASE), type_) for type_, patterns in said.items() for pattern in patterns
    )
