"""Where Kafka and TimescaleDB are: what the settings say, else the embedded stack that runs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.secret_files import secret_of
from models.errors import Unavailable

if TYPE_CHECKING:
    from infra.embedded.stack import RunningStack
    from infra.settings import Settings

_CONTAINERS = "or start containers (infra/compose.yaml)"


def kafka_address(settings: Settings) -> str:
    """`host:port[,host:port]` of Kafka.

    Raises:
        Unavailable: no setting names one, and no embedded stack runs.
    """
    if settings.kafka.bootstrap_servers is not None:
        return settings.kafka.bootstrap_servers
    stack = _running(settings)
    if stack is None:
        raise _nowhere("Kafka", "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS", "host:port")
    return stack.kafka


def database_address(settings: Settings) -> str:
    """The URL of TimescaleDB with its password, for connecting and never for showing.

    Raises:
        ConfigurationError: the address is said twice, or its file cannot be read.
        Unavailable: no setting names one, and no embedded stack runs.
    """
    database = settings.database
    if database.url_file is not None:
        return secret_of("FLEETTWIN_DATABASE__URL", database.url, database.url_file) or ""
    if database.url is not None:
        return database.url.get_secret_value()
    stack = _running(settings)
    if stack is None:
        raise _nowhere("TimescaleDB", "FLEETTWIN_DATABASE__URL", "postgresql://user:password@host:port/database")
    return stack.database_url


def _running(settings: Settings) -> RunningStack | None:
    from infra.embedded.stack import running_stack  # noqa: PLC0415  # not needed where the settings name servers

    return running_stack(settings.stack)


def _nowhere(server: str, variable: str, form: str) -> Unavailable:
    way_out = f"Run `fleettwin stack up`, set {variable} to {form}, {_CONTAINERS}"
    return Unavailable(server, "no setting says where it is, and no embedded stack runs here", way_out)
