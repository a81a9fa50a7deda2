"""The sources by name; the module of one is imported when it is chosen, so that nobody needs the others' libraries."""

from __future__ import annotations

from importlib import import_module

from models.errors import ConfigurationError, Unavailable
from streams.publish.options import SourceOptions
from streams.publish.source import Source

EXTRAS = {"nvml": "nvidia", "amdsmi": "amd", "redfish": "redfish"}
"""Which extra of the distribution brings a source's library."""

SOURCES = ("simulated", "file", "nvml", "amdsmi", "prometheus", "redfish")


def chosen_source(name: str, options: SourceOptions) -> Source:
    """The source of that name; its module has a function `source_of(options)`.

    Raises:
        ConfigurationError: there is none, or it cannot be with these options.
        Unavailable: its library is not installed.
    """
    if name not in SOURCES:
        raise ConfigurationError("--source", name, f"one of {', '.join(SOURCES)}")
    package = f"streams.publish.sources.{name}"
    try:
        module = import_module(package)
        source: Source = module.source_of(options)
    except ModuleNotFoundError as missing:
        raise not_installed(name, missing) from None
    return source


def not_installed(name: str, missing: ModuleNotFoundError) -> Unavailable:
    """What it means that a source's library is not there; for sources that import it when they are asked, too."""
    extra = EXTRAS.get(name)
    way_out = "Install fleettwin anew" if extra is None else f"pip install 'fleettwin[{extra}]'"
    return Unavailable(f"source {name}", f"the library {missing.name} is not installed", way_out)
