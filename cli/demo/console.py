"""The demo's web page: at which address it stands, the same for as long as the demo runs, and a browser to show it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.embedded import ports
from infra.settings import ConsoleSettings

PORT_SETTING = "FLEETTWIN_CONSOLE__PORT"
USUAL_PORT = 8470
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what to type to reach it
_GRAPHICAL = ("DISPLAY", "WAYLAND_DISPLAY")
_OPENER = "xdg-open"


@dataclass(frozen=True, slots=True)
class ConsolePlace:
    """Where the twin worker serves its page, however often it is started again."""

    host: str
    port: int
    wants_token: bool

    @property
    def url(self) -> str:
        """What to type into a browser on this machine."""
        host = _EVERYWHERE.get(self.host) or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"http://{host}:{self.port}/"

    @property
    def told(self) -> str:
        """The address, and what it asks for."""
        return f"{self.url}   asks for the token of FLEETTWIN_CONSOLE__TOKEN" if self.wants_token else self.url

    @property
    def environment(self) -> dict[str, str]:
        """What the worker is told."""
        return {PORT_SETTING: str(self.port)}


def console_place(console: ConsoleSettings) -> ConsolePlace | None:
    """The place: at the port that is set, else at the usual one or, if that is held, at a free one; none if disabled.

    Raises:
        ConfigurationError: the port that is set is held.
    """
    if not console.enabled:
        return None
    port = ports.choose(PORT_SETTING, console.port, USUAL_PORT)
    return ConsolePlace(console.host, port, console.token is not None or console.token_file is not None)


@dataclass
class Browser:
    """Opens the page once, as soon as it answers, where there is a graphical session to open it in."""

    place: ConsolePlace | None
    wanted: bool
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    opener: subprocess.Popen[bytes] | None = field(default=None, init=False)
    """What was started to open it."""

    def look(self) -> None:
        """See whether the page answers by now."""
        if self.place is None or not self.wanted or not ports.answers(self.place.port):
            return
        self.wanted = False
        if any(self.environment.get(name) for name in _GRAPHICAL) and shutil.which(
            _OPENER, path=self.environment.get("PATH")
        ):
            # A session of its own: Ctrl-C ends the demo and not the browser.
            self.opener = subprocess.Popen(
                [_OPENER, self.place.url],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
