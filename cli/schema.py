"""`fleettwin schema`: the contract as documents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from models.errors import ConfigurationError, Unavailable

ROOT = Path(__file__).parents[1]


def schema(
    name: Annotated[
        str | None, typer.Argument(help="The document to print, as `asyncapi` or `reading`; all are listed without.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write all of them below this folder.", metavar="DIR")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Whether those under docs/ of this checkout are current and valid.")
    ] = False,
) -> None:
    """Print the documents of what crosses Kafka and HTTP: AsyncAPI, OpenAPI, and a JSON Schema of each message."""
    _one_at_most(name, out, check)
    if check:
        _check()
        return
    from streams.contract.documents import text_of, write_documents  # noqa: PLC0415  # pyarrow takes long to import

    known = _documents()
    if out is not None:
        _make(out)
        write_documents(known, out)
        typer.echo(f"wrote {len(known)} documents below {out}")
    elif name is not None:
        typer.echo(text_of(known[_path(name, known)]), nl=False)
    else:
        width = max(len(_short(path)) for path in known)
        for path, document in known.items():
            typer.echo(f"{_short(path):<{width}}  {path:<32}  {_title(document)}")


def _documents() -> Mapping[str, dict[str, Any]]:
    from streams.contract.documents import documents  # noqa: PLC0415  # pyarrow takes long to import

    return documents()


def _check() -> None:
    from streams.contract.documents import first_difference  # noqa: PLC0415  # pyarrow takes long to import
    from streams.contract.validity import first_fault  # noqa: PLC0415  # the same

    if not (ROOT / "pyproject.toml").is_file():
        raise Unavailable("docs/", "an installed fleettwin has no committed documents", "Run it in a checkout")
    known = _documents()
    found = first_difference(known, ROOT / "docs") or first_fault(known)
    if found is not None:
        remedy = "Run `fleettwin schema --out docs` and look at what has changed"
        raise Unavailable(f"docs/{found.path}", found.problem, remedy)
    typer.echo(f"{len(known)} documents are current and valid")


def _one_at_most(name: str | None, out: Path | None, check: bool) -> None:
    if check and (name is not None or out is not None):
        raise ConfigurationError("--check", "together with NAME or --out", "by itself")
    if name is not None and out is not None:
        raise ConfigurationError("NAME", name, "none with --out, which writes all documents")


def _path(name: str, known: Mapping[str, Any]) -> str:
    for path in known:
        if name in (path, _short(path)):
            return path
    raise ConfigurationError("NAME", name, f"one of {', '.join(map(_short, known))}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError("--out", str(folder), f"a folder that can be written ({error.strerror})") from None


def _short(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json").removesuffix(".v1")


def _title(document: Mapping[str, Any]) -> str:
    return str(document.get("title") or document["info"]["title"])
