"""`fleettwin traces convert`: a command for each trace, made of the choices that its module declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import MISSING, asdict, fields
from importlib.metadata import version
from inspect import Parameter, Signature, getdoc
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from streams.traces.trace import Argument, Conversion, Option, Trace
from streams.traces.writing import write_log
from twin.rules import Rules

Out = Annotated[Path, typer.Option("--out", help="The log to write; it must not be there yet.")]


def add_conversions(app: typer.Typer, traces: Iterable[Trace[Any]]) -> None:
    """Give the app a command for each trace."""
    for trace in traces:
        app.command(trace.name, help=getdoc(trace.convert))(_command(trace))


def _command(trace: Trace[Any]) -> Callable[..., None]:
    def convert(**given: Any) -> None:
        out = given.pop("out")
        _write(trace, trace.convert(trace.choices(**given)), out)

    convert.__signature__ = Signature(_asked_of(trace.choices))  # type: ignore[attr-defined]  # where Typer looks
    return convert


def _asked_of(choices: type[Any]) -> list[Parameter]:
    """The parameters of a command that asks for these choices and for the log to write."""
    hints = get_type_hints(choices, include_extras=True)
    asked = [
        _parameter(one.name, _for_typer(hints[one.name]), Parameter.empty if one.default is MISSING else one.default)
        for one in fields(choices)
    ]
    return [*asked, _parameter("out", Out, Parameter.empty)]


def _parameter(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _for_typer(annotation: Any) -> Any:
    type_, asked = get_args(annotation)
    match asked:
        case Argument(help=said):
            return Annotated[type_, typer.Argument(help=said)]
        case Option(flag=flag, help=said, least=least, most=most):
            return Annotated[type_, typer.Option(flag, help=said, min=least, max=most, show_default=True)]
    raise TypeError(f"{annotation} does not say how it is asked for")


def _write(trace: Trace[Any], conversion: Conversion, out: Path) -> None:
    written = write_log(trace.name, conversion, out, f"fleettwin {version('fleettwin')} traces convert")
    typer.echo(f"{out}: {conversion.summary()} in {written.records} records, {written.bytes} bytes")
    meant_for = _settings(conversion.rules) | {setting: str(path) for setting, path in written.beside.items()}
    if meant_for:
        typer.echo(f"meant for {' '.join(f'{setting}={value}' for setting, value in meant_for.items())}")


def _settings(rules: Rules) -> dict[str, str]:
    """The settings of a twin with these rules, where they are not what they would be anyway."""
    usual = asdict(Rules())
    return {
        f"FLEETTWIN_TWIN__{name.upper()}_MILLISECONDS": str(value)
        for name, value in asdict(rules).items()
        if value != usual[name]
    }
