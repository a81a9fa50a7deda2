"""`fleettwin topics`: make, show and delete the topics on Kafka."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from infra import acls, topics
from infra.settings import read_settings
from models.errors import ConfigurationError

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def create() -> None:
    """Make the topics that are missing; harmless where all are there."""
    made = topics.create_topics(read_settings())
    for name in made:
        typer.echo(f"made {name}")
    if not made:
        typer.echo("all topics are there")


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show our topics as they are on Kafka."""
    found = topics.describe(read_settings())
    if as_json:
        typer.echo(orjson.dumps([_object(topic) for topic in found]))
        return
    width = max(len(topic.name) for topic in found)
    for topic in found:
        typer.echo(f"{topic.name:<{width}}  {_state(topic)}")


@app.command()
def delete(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete our topics and all that they hold."""
    settings = read_settings()
    if not yes:
        prefix = settings.kafka.topic_prefix
        typer.confirm(f"Delete all topics of fleettwin{f' with the prefix {prefix}' if prefix else ''}?", abort=True)
    deleted = topics.delete_topics(settings)
    for name in deleted:
        typer.echo(f"deleted {name}")
    if not deleted:
        typer.echo("no topic was there")


@app.command("acls")
def show_rights(
    principal: Annotated[str, typer.Argument(help="Whose rights, as Kafka names it: User:NAME.")],
    role: Annotated[acls.Role, typer.Option("--as", help="What the user is there for.")],
    group: Annotated[
        list[str] | None, typer.Option("--group", help="A consumer group of its own, without the prefix.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Tell Kafka, instead of printing.")] = False,
) -> None:
    """Print what a user of Kafka must be allowed for its part, as commands of Kafka's own tool, or allow it."""
    if not principal.startswith("User:") or not principal.isprintable():
        raise ConfigurationError("PRINCIPAL", principal, "User: and the name that Kafka knows it by")
    settings = read_settings()
    grants = acls.grants_of(settings.kafka, role, group or ())
    if apply:
        acls.allow(settings, principal, grants)
        typer.echo(f"{principal} may be a {role.value}: {len(grants)} rights")
        return
    for grant in grants:
        typer.echo(acls.command_of(principal, grant))


def _object(topic: topics.FoundTopic) -> dict[str, object]:
    return {
        "name": topic.name,
        "partitions": topic.partitions,
        "expected_partitions": topic.layout.partitions,
        "settings": topic.layout.settings,
    }


def _state(topic: topics.FoundTopic) -> str:
    if topic.hidden:
        return "not shown to this user"
    if topic.partitions is None:
        return "missing"
    wrong = topic.partitions != topic.layout.partitions
    return f"{topic.partitions:>4} partitions" + (f" (expected {topic.layout.partitions})" if wrong else "")
