"""`fleettwin schema`: the contract as documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

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
        check_documents(ROOT)
        typer.echo("the documents under docs/ are current and valid")
        return
    from streams.contract.documents import documents, kinds, text_of, write_documents  # noqa: PLC0415  # pyarrow

    if out is not None:
        known = documents()
        try:
            write_documents(known, out)
        except OSError as error:
            raise ConfigurationError("--out", str(out), f"a folder that can be written ({error.strerror})") from None
        typer.echo(f"wrote {len(known)} documents below {out}")
    elif name is not None:
        typer.echo(text_of(kinds()[_path(name, tuple(kinds()))].make()), nl=False)
    else:
        width = max(len(_short(path)) for path in kinds())
        for path, kind in kinds().items():
            typer.echo(f"{_short(path):<{width}}  {path:<32}  {kind.title}")


def check_documents(root: Path) -> None:
    """Compare the documents below a checkout's docs/ with what they should be.

    Raises:
        Unavailable: there are none, they differ, or they are not valid; with the first difference.
    """
    from streams.contract.documents import documents, first_difference  # noqa: PLC0415  # pyarrow
    from streams.contract.validity import first_fault  # noqa: PLC0415  # the same

    if not (root / "pyproject.toml").is_file():
        raise Unavailable("docs/", "an installed fleettwin has no committed documents", "Run it in a checkout")
    known = documents()
    found = first_difference(known, root / "docs") or first_fault(known)
    if found is not None:
        remedy = "Run `fleettwin schema --out docs` and look at what has changed"
        raise Unavailable(f"docs/{found.path}", found.problem, remedy)


def _one_at_most(name: str | None, out: Path | None, check: bool) -> None:
    if check and (name is not None or out is not None):
        raise ConfigurationError("--check", "together with NAME or --out", "by itself")
    if name is not None and out is not None:
        raise ConfigurationError("NAME", name, "none with --out, which writes all documents")


def _path(name: str, known: Sequence[str]) -> str:
    for path in known:
        if name in (path, _short(path)):
            return path
    raise ConfigurationError("NAME", name, f"one of {', '.join(map(_short, known))}")


def _short(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json").removesuffix(".v1")
