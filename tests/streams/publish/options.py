"""Options of a source that asks the machine it runs on."""

from models.catalogue import shipped_catalogue
from streams.publish.measures import Identity
from streams.publish.options import SourceOptions, Target

HERE = Identity(site="memphis", node="n1")


def options_here(
    type_: str | None = None, installed: int | None = None, timeout_seconds: float = 20.0
) -> SourceOptions:
    target = Target(HERE, type=type_, installed=installed)
    return SourceOptions(targets=(target,), catalogue=shipped_catalogue(), timeout_seconds=timeout_seconds)
