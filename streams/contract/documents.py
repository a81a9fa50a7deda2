"""The documents of the contract as files: which there are, their bytes, and whether those in a folder are the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from streams.contract.asyncapi import asyncapi_document
from streams.contract.schemas import Document, in_json, schema_of

ASYNCAPI = "asyncapi.json"
OPENAPI = "openapi.json"
SCHEMAS = "schemas"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing in which a folder is not what it should be."""

    path: str
    problem: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One document that there is; `make` makes it."""

    title: str
    make: Callable[[], Document]


def kinds() -> Mapping[str, Kind]:
    """All that there are, by their path below the folder of documents."""
    return {
        ASYNCAPI: Kind("What crosses Kafka", asyncapi_document),
        OPENAPI: Kind("What a twin worker answers over HTTP", _openapi),
        **{
            f"{SCHEMAS}/{message.name}.v1.json": Kind(message.title, partial(schema_of, message))
            for message in in_json()
        },
    }


def documents() -> Mapping[str, Document]:
    """All of them, by their path."""
    return {path: kind.make() for path, kind in kinds().items()}


def _openapi() -> Document:
    from streams.console.app import openapi_document  # noqa: PLC0415  # FastAPI takes long to import

    return openapi_document()


def text_of(document: Document) -> str:
    """As it is committed: the same text for the same document."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_documents(known: Mapping[str, Document], folder: Path) -> None:
    """Write them all; schemas of a name that is no more are removed, and no other file is."""
    for path, document in known.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text_of(document), encoding="utf-8")
    for path in _left_over(known, folder):
        (folder / path).unlink()


def first_difference(known: Mapping[str, Document], folder: Path) -> Difference | None:
    """The first difference between a folder and what the documents should be, by path; none if there is none."""
    for path in sorted(known):
        try:
            found = (folder / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return Difference(path, "is missing")
        except UnicodeDecodeError:
            return Difference(path, "is not UTF-8")
        if found != text_of(known[path]):
            return Difference(path, _where(found, text_of(known[path])))
    left_over = _left_over(known, folder)
    return Difference(left_over[0], "belongs to no message") if left_over else None


def _left_over(known: Mapping[str, Document], folder: Path) -> list[str]:
    found = (f"{SCHEMAS}/{file.name}" for file in (folder / SCHEMAS).glob("*.v1.json"))
    return sorted(path for path in found if path not in known)


def _where(found: str, expected: str) -> str:
    """The first line that differs."""
    ours, theirs = expected.splitlines(), found.splitlines()
    for number, (should, there) in enumerate(zip(ours, theirs, strict=False), 1):
        if should != there:
            return f"line {number} is {there.strip()[:100]!r}; expected {should.strip()[:100]!r}"
    if len(ours) == len(theirs):
        return "differs in its line ends"
    return f"has {len(theirs)} lines; expected {len(ours)}"
