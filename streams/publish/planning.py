"""From what the user wants to what a source is told: every identity complete, and none of them guessed in silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from models.catalogue import Catalogue
from models.errors import ConfigurationError
from models.names import FLEET, LONGEST_NAME, usable
from models.reading import NodeState
from streams.publish.configuration import TargetEntry, Wanted
from streams.publish.measures import Identity
from streams.publish.options import SourceOptions, Target
from streams.publish.registry import SOURCES

NAMED_INSIDE = ("file",)
"""Sources whose data may name their nodes; a target need not."""

UNSET = "unset"
"""The site of a guess."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask, and in whose name to say what comes of it."""

    source: str
    options: SourceOptions
    states: Mapping[Identity, NodeState]
    """Of nodes of which the user says more than that they are in service."""

    @property
    def name(self) -> str:
        """The publisher's own."""
        first = self.options.targets[0].identity
        return "/".join(filter(None, (self.source, first.site, first.node)))


@dataclass(frozen=True, slots=True)
class Guessing:
    """Fills in what is missing, for people to look at; not for what is sent."""

    hostname: str
    tell: Callable[[str], None]


def planned(wanted: Wanted, catalogue: Catalogue, file: str | None, guessing: Guessing | None = None) -> Plan:
    """The plan.

    Args:
        wanted: By all that the user has said.
        catalogue: The types that there are.
        file: The name of the file that said some of it, for messages.
        guessing: Where names may be guessed.

    Raises:
        ConfigurationError: something is missing or cannot be; names the option, or the place in the file.
    """
    if wanted.source not in SOURCES:
        raise ConfigurationError("--source", wanted.source, f"one of {', '.join(SOURCES)}")
    entries = wanted.targets or (TargetEntry(),)
    if wanted.node is not None and len(entries) > 1:
        raise ConfigurationError("--node", wanted.node, f"none with {len(entries)} targets, of which each has its own")
    names = () if guessing is None else _names(tuple(entry.url for entry in entries), guessing.hostname)
    naming = _Naming(wanted, wanted.source, catalogue, file if wanted.targets else None, guessing, names)
    targets = tuple(naming.target(index, entry) for index, entry in enumerate(entries))
    options = SourceOptions(
        targets=targets,
        catalogue=catalogue,
        timeout_seconds=wanted.timeout_seconds,
        field_map=wanted.field_map,
        verify_tls=wanted.verify_tls,
        ca_file=wanted.ca_file,
        user=wanted.user,
        password_file=wanted.password_file,
        extra=wanted.options,
        where="options" if file is None else f"{file}: options",
    )
    states = {one.identity: one.state for one in targets if not one.meter and one.state is not NodeState.IN_SERVICE}
    _refuse_twice(targets)
    return Plan(wanted.source, options, states)


@dataclass(frozen=True, slots=True)
class _Naming:
    wanted: Wanted
    source: str
    catalogue: Catalogue
    file: str | None
    guessing: Guessing | None
    names: tuple[str, ...]
    """What each target would be called by a guess; empty where none is wanted."""

    def target(self, index: int, entry: TargetEntry) -> Target:
        if entry.node is not None and entry.meter is not None:
            raise ConfigurationError(self._where(index, "meter"), entry.meter, "none beside `node`: it is one of both")
        site = entry.site or self.wanted.site or self._guess(index, "site", UNSET)
        name = entry.meter or entry.node or self.wanted.node
        if name is None:
            name = (
                ""
                if self.source in NAMED_INSIDE
                else self._guess(index, "node", self.names[index] if self.names else "")
            )
        rack = entry.rack or self.wanted.rack
        for field, text in (("site", site), ("node", name), ("rack", rack)):
            if text and not usable(text):
                expected = f"1 to {LONGEST_NAME} characters that can be printed"
                raise ConfigurationError(self._where(index, field), text, expected)
        if site == FLEET:
            raise ConfigurationError(self._where(index, "site"), site, "another name: this one is the fleet's own")
        type_ = entry.type or self.wanted.type
        if type_ is not None and type_ not in self.catalogue:
            raise ConfigurationError(self._where(index, "type"), type_, f"one of {', '.join(self.catalogue.ids)}")
        return Target(
            identity=Identity(site, name, rack),
            url=entry.url,
            type=type_,
            installed=entry.installed,
            state=entry.state,
            meter=entry.meter is not None,
        )

    def _guess(self, index: int, field: str, value: str) -> str:
        if self.guessing is None:
            raise ConfigurationError(self._where(index, field), None, f"the name of the {field}, which is not guessed")
        self.guessing.tell(f"guessed: {self._where(index, field)} {value}")
        return value

    def _where(self, index: int, field: str) -> str:
        """The option, or the place in the file where the target stands."""
        if self.file is None or (field == "site" and self.wanted.site is None):
            return f"--{field}"
        return f"{self.file}: targets.{index}.{field}"


def _names(urls: tuple[str | None, ...], hostname: str) -> tuple[str, ...]:
    """A name for each address: its host, with as much of the rest as it takes to tell them apart, but for passwords."""
    split = [_split(url or "") for url in urls]
    hosts = tuple(one.hostname or hostname for one in split)
    ports = tuple(one.netloc.rpartition("@")[2] or hostname for one in split)
    paths = tuple(port + one.path for port, one in zip(ports, split, strict=True))
    return next((names for names in (hosts, ports) if len(set(names)) == len(names)), paths)


def _split(url: str) -> SplitResult:
    """Its parts; none of what is no address, which its source refuses with a better word."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _refuse_twice(targets: tuple[Target, ...]) -> None:
    seen: set[tuple[str, str, bool]] = set()
    for one in targets:
        place = one.identity.site, one.identity.node, one.meter
        if one.identity.node and place in seen:
            raise ConfigurationError("targets", f"{place[0]}/{place[1]}", "every node and every meter once")
        seen.add(place)
