"""Becomes a server that ends when its parent does, so that not even `kill -9` of a supervisor leaves one behind.

Run as a script by `process.start`, before the server's own binary takes the process over. It must not import fleettwin:
it runs with `-I -S` to cost a hundredth of a second.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_NOBODY = 65534
PROBE_FAILED = 3

_libc = ctypes.CDLL(None, use_errno=True)


def enter_namespace() -> None:
    """Be the user nobody and own our files all the same: a user namespace of one user.

    For programs that refuse root, or a user who is not in the passwd file.

    Raises:
        OSError: where the kernel or the container forbids it.
    """
    user, group = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {group} 1", encoding="ascii")


def become_nobody() -> None:
    """Stop being root by changing the user; the files must have been given away before."""
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel for a signal when `parent` ends; exit now if it already has.

    Only after every change of user: each one makes the kernel forget the request. What a shell starts in the
    background may have been told to ignore the signal, and so would we.
    """
    if signal_number != signal.SIGKILL:  # which nobody can ignore, nor set
        signal.signal(signal_number, signal.SIG_DFL)
    if _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    if os.getppid() != parent:
        sys.exit(1)


def main(identity: str, parent: str, signal_number: str, *command: str) -> None:
    """Take the identity, tie the process to its parent and run the command in its place."""
    if identity == "namespace":
        enter_namespace()
    elif identity == "nobody":
        become_nobody()
    die_with(int(parent), int(signal_number))
    os.execvp(command[0], command)  # noqa: S606 - a fixed argument list; a shell would sit between us and the signal


if __name__ == "__main__":
    if sys.argv[1:] == ["probe"]:
        try:
            enter_namespace()
        except OSError:
            sys.exit(PROBE_FAILED)
    else:
        main(*sys.argv[1:])
