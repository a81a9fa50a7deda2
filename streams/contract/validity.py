"""Whether the documents hold what they promise: schemas that are schemas, examples that fit them, names that are there.

That needs jsonschema and openapi-spec-validator, which only a checkout's environment has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from models.errors import Unavailable
from streams.contract.documents import ASYNCAPI, OPENAPI, Difference
from streams.contract.schemas import DIALECT, Document


def first_fault(documents: Mapping[str, Document]) -> Difference | None:
    """The first fault of documents that were made or read; none if they are valid.

    Raises:
        Unavailable: one of the two is not installed.
    """
    try:
        import jsonschema  # noqa: F401, PLC0415  # comes with the extra `dev` alone
        import openapi_spec_validator  # noqa: F401, PLC0415  # the same
    except ImportError as missing:
        remedy = "Install fleettwin[dev], or run `make setup`"
        raise Unavailable(str(missing.name), "it is not installed", remedy) from None
    plain = {path: json.loads(json.dumps(document)) for path, document in documents.items()}
    checks = {ASYNCAPI: _of_asyncapi, OPENAPI: _of_openapi}
    for path, document in plain.items():
        for fault in checks.get(path, _of_schema)(document):
            return Difference(path, fault)
    return None


def _of_schema(document: Document) -> Iterator[str]:
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415  # see above

    try:
        Draft202012Validator.check_schema(document)
    except SchemaError as error:
        yield f"is no JSON Schema: {error.message[:200]}"
        return
    yield from _misfits(document, document.get("examples", []))


def _of_asyncapi(document: Document) -> Iterator[str]:
    for reference in _references(document):
        if _found(document, reference) is None:
            yield f"refers to {reference}, which is not there"
            return
    schemas = document["components"]["schemas"]
    for name, message in document["components"]["messages"].items():
        for part in ("headers", "payload"):
            schema = {"$schema": DIALECT, **message[part], "components": {"schemas": schemas}}
            for fault in _misfits(
                schema, [example[part] for example in message["examples"]] if "examples" in message else []
            ):
                yield f"message {name}, {part}: {fault}"


def _of_openapi(document: Document) -> Iterator[str]:
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415  # see above

    for error in OpenAPIV31SpecValidator(document).iter_errors():
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def _misfits(schema: Document, examples: list[Any]) -> Iterator[str]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # see above

    for example in examples:
        for error in Draft202012Validator(schema).iter_errors(example):
            where = ".".join(map(str, error.absolute_path)) or "the whole"
            yield f"an example does not fit: {where}: {error.message[:200]}"


def _references(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(document.get("$ref"), str):
            yield document["$ref"]
        for value in document.values():
            yield from _references(value)
    elif isinstance(document, list):
        for value in document:
            yield from _references(value)


def _found(document: Any, reference: str) -> Any:
    """What a reference within the document points at."""
    for part in reference.removeprefix("#/").split("/"):
        document = document.get(part) if isinstance(document, dict) else None
    return document
