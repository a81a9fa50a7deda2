"""`fleettwin alerts forward`: shortages to pagers and chat systems over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.alerts.options import (
    NameOption,
    ResourceOption,
    ScopeOption,
    SeverityOption,
    instant_of_option,
    wanted_of,
)
from cli.signals import stop_wished
from infra.plain_log import log_plainly
from infra.secret_files import secret_of
from infra.settings import AlertsSettings, read_settings
from models.errors import ConfigurationError
from models.shortage import Severity
from streams.forwarding.forms import (
    ALERTMANAGER_PATH,
    PAGERDUTY_URL,
    Form,
    FormName,
    alertmanager_form,
    pagerduty_form,
    webhook_form,
)

JUST_NOW = "1m"
"""So that what happens while a new group is made is told, and a year of what has resolved is not."""

DEAD_LETTERS = Path("alerts-dead-letters.jsonl")

_HOLD = 5
"""Alertmanager is told again so many times before it forgets."""

_URL, _TOKEN, _KEY = (f"FLEETTWIN_ALERTS__{name}" for name in ("URL", "TOKEN", "ROUTING_KEY"))


def forward(  # noqa: PLR0913  # each is an option
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Where to post. Without: FLEETTWIN_ALERTS__URL; for pagerduty, PagerDuty's own."),
    ] = None,
    form: Annotated[FormName, typer.Option("--form", help="What the receiver takes.")] = FormName.ALERTMANAGER,
    scope: ScopeOption = None,
    name: NameOption = None,
    severity: SeverityOption = Severity.INFO,
    resource: ResourceOption = None,
    since: Annotated[
        str, typer.Option("--since", help="Where a new group begins: a time with offset, or 15m, 2h, 3d ago.")
    ] = JUST_NOW,
    group: Annotated[
        str, typer.Option("--group", help="The consumer group: one for each receiver; members stand in for each other.")
    ] = "alerts-forward",
    dead_letters: Annotated[
        Path, typer.Option("--dead-letters", help="Where what the receiver refuses for good is written down.")
    ] = DEAD_LETTERS,
) -> None:
    """Post each shortage event until the receiver has taken it, in order, until SIGTERM or Ctrl-C.

    At least once: nothing is lost while either end is away. A new group is first told what is open.
    """
    import httpx  # noqa: PLC0415  # slow to import

    from streams.consumers.group_reading import from_instant, group_reading  # noqa: PLC0415
    from streams.forwarding.dead_letters import DeadLetters  # noqa: PLC0415
    from streams.forwarding.forwarder import Forwarder, Patience  # noqa: PLC0415
    from streams.forwarding.posting import Receiver  # noqa: PLC0415

    wanted, instant = wanted_of(scope, name, severity, resource), instant_of_option(since)
    settings = read_settings()
    given = settings.alerts
    address, posted = _address(to, form, given), _form(form, given)
    log_plainly()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes whole addresses, secrets and all
    with (
        stop_wished() as wished,
        httpx.Client(timeout=given.timeout_seconds) as client,
        DeadLetters(dead_letters) as letters,
        group_reading(settings, group, from_instant(instant), wished.is_set) as reading,
    ):
        Forwarder(
            reading=reading,
            receiver=Receiver(client, address, _headers(given)),
            form=posted,
            wanted=wanted,
            dead_letters=letters,
            stopped=wished.is_set,
            patience=Patience(given.longest_wait_seconds, given.resend_seconds),
        ).run()


def _address(to: str | None, form: FormName, given: AlertsSettings) -> str:
    """Where to post, whichever says so."""
    from streams.forwarding.addresses import checked_url  # noqa: PLC0415

    url = to or secret_of(_URL, given.url, given.url_file) or (PAGERDUTY_URL if form is FormName.PAGERDUTY else None)
    if url is None:
        raise ConfigurationError("--to", None, f"where to post, such as http://localhost:9093, here or in {_URL}")
    checked_url("--to" if to else _URL, url)
    if form is FormName.ALERTMANAGER and not url.rstrip("/").endswith(ALERTMANAGER_PATH):
        url = url.rstrip("/") + ALERTMANAGER_PATH
    return url


def _form(name: FormName, given: AlertsSettings) -> Form:
    """The form, and whether it has all it needs."""
    match name:
        case FormName.ALERTMANAGER:
            return alertmanager_form(_HOLD * timedelta(seconds=given.resend_seconds))
        case FormName.WEBHOOK:
            return webhook_form()
        case FormName.PAGERDUTY:
            key = _needed(_KEY, lambda: secret_of(_KEY, given.routing_key, given.routing_key_file))
            return pagerduty_form(key)


def _needed(name: str, secret: Callable[[], str | None]) -> Callable[[], str]:
    """The same secret, which must be there now and later."""

    def read() -> str:
        said = secret()
        if said is None:
            raise ConfigurationError(name, None, f"the integration's routing key, or {name}_FILE with its file")
        return said

    read()
    return read


def _headers(given: AlertsSettings) -> Callable[[], Mapping[str, str]]:
    """The headers that every post bears; a token's file is read anew for each."""

    def read() -> Mapping[str, str]:
        token = secret_of(_TOKEN, given.token, given.token_file)
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    read()
    return read
