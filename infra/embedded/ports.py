"""Which loopback port a server listens on: a fixed one, the one of last time, or a free one."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Collection
from pathlib import Path
from typing import Final

from models.errors import ConfigurationError, Unavailable

HOST: Final = "127.0.0.1"
_RANGE: Final = range(20_000, 30_000)
"""Below the ports that Linux hands to outgoing connections, so that none of those sits on a remembered one."""


def is_free(port: int) -> bool:
    """True if a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def answers(port: int) -> bool:
    """True if somebody accepts connections there."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def choose(setting: str, fixed: int | None, remembered: int | None, taken: Collection[int] = ()) -> int:
    """The port to listen on.

    Args:
        setting: The name of the setting that fixes the port, for the error.
        fixed: Its value.
        remembered: The port of last time; used again if it is free.
        taken: Ports given to our other servers a moment ago.

    Raises:
        ConfigurationError: if the fixed port is taken.
        Unavailable: if no port is free.
    """
    if fixed is not None:
        if not is_free(fixed):
            raise ConfigurationError(setting, fixed, f"a free port; this one is held by {holder(fixed)}")
        return fixed
    if remembered is not None and remembered not in taken and is_free(remembered):
        return remembered
    for _ in range(200):
        port = secrets.choice(_RANGE)
        if port not in taken and is_free(port):
            return port
    raise Unavailable("a free port", f"200 tries between {_RANGE.start} and {_RANGE.stop} failed", f"Set {setting}.")


def holder(port: int) -> str:
    """What listens on the port, as far as this user may see."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if any(str(link.readlink()) in inodes for link in (folder / "fd").iterdir()):
                name = (folder / "comm").read_text(encoding="utf-8").strip()
                return f"{name} (process {folder.name})"
        except OSError:
            continue  # it ended, or belongs to another user
    return "another process"


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes
