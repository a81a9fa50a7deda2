"""The token that callers of the console must bring, from where the settings say."""

from __future__ import annotations

from infra.secret_files import secret_of
from infra.settings import ConsoleSettings

TOKEN_SETTING = "FLEETTWIN_CONSOLE__TOKEN"  # noqa: S105 - a setting's name


def token_of(console: ConsoleSettings) -> str | None:
    """The token that callers must bring; none if anybody may ask.

    Raises:
        ConfigurationError: it is said twice, is empty, or its file cannot be read.
    """
    return secret_of(TOKEN_SETTING, console.token, console.token_file)
