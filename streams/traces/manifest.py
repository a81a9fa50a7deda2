"""Manifests: which files of a trace are downloaded, from where, and what each must be to the byte."""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePosixPath
from typing import Annotated, Self
from urllib.parse import quote

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import ConfigurationError, first_doubt
from models.strict_yaml import read_yaml


def _below(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or str(path) != text or ".." in path.parts or "\\" in text or not text.isprintable():
        raise ValueError("must be a plain path below a folder, such as csv/nodes.csv")
    return text


def _address(text: str) -> str:
    try:
        url = AnyHttpUrl(text)
    except ValidationError:
        url = None
    if url is None or url.query or url.fragment:
        raise ValueError("must be an http or https address without ? and #")
    return str(url).rstrip("/") + "/"


Below = Annotated[str, Field(min_length=1), AfterValidator(_below)]


class Pinned(BaseModel):
    """A file, known to the byte."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Below
    """Where it goes, below the folder of the trace."""
    source: Annotated[Below | None, Field(alias="from")] = None
    """Where it is, below the address; where it goes, if that is the same."""
    first: bool = False
    """Whether it is the first `size` bytes alone that are wanted of a file which goes on."""
    size: Annotated[int, Field(ge=1)]
    """In bytes."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    def url(self, base: str) -> str:
        """Its address."""
        return base + quote(self.source or self.path)


class Manifest(BaseModel):
    """The files of a trace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: Annotated[str, AfterValidator(_address)]
    """The address below which they are."""
    files: Annotated[tuple[Pinned, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _paths_differ(self) -> Self:
        paths = [file.path for file in self.files]
        for path in paths:
            if paths.count(path) > 1:
                raise ValueError(f"{path} is there twice")
        return self

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.size for file in self.files)


def read_manifest(text: str, name: str) -> Manifest:
    """A manifest in YAML; `name` is its file's, for messages.

    Raises:
        ConfigurationError: it is none, with what is wrong with it.
    """
    try:
        return Manifest.model_validate(read_yaml(text, name))
    except ValidationError as invalid:
        raise ConfigurationError(name, first_doubt(invalid), "a manifest as docs/traces.md describes it") from None


def shipped_manifest(trace: str) -> Manifest | None:
    """The manifest of a trace that comes with fleettwin, if its files are known."""
    file = files("streams.traces.known") / f"{trace}.yaml"
    return read_manifest(file.read_text("utf-8"), file.name) if file.is_file() else None


def at_another_address(manifest: Manifest, base: str) -> Manifest:
    """The same files below another address, such as a mirror's.

    Raises:
        ConfigurationError: that is no address.
    """
    try:
        return Manifest.model_validate({**manifest.model_dump(by_alias=True), "base": base})
    except ValidationError as invalid:
        raise ConfigurationError("--base-url", base, f"another address ({invalid.errors()[0]['msg']})") from None
