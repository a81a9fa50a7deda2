"""What fields and words mean, for the published documents: the sentence below each in its class.

pydantic can collect them itself while a class is made, which would cost every command a fifth of a second; here they
are read when a schema is asked for.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import pairwise


@cache
def sentences_of(cls: type) -> Mapping[str, str]:
    """The docstrings below the attributes of a class and of those it comes from, by the attribute's name."""
    found: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        if one.__module__.partition(".")[0] == "models":
            found |= _own_sentences(one)
    return found


def _own_sentences(cls: type) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - the source of a class is one
    return {
        name: inspect.cleandoc(below.value.value)
        for said, below in pairwise(definition.body)
        if (name := _name(said))
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _name(said: ast.stmt) -> str | None:
    match said:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None
