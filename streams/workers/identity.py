"""What a worker is called: the same as long as its process lives, and like no other."""

from __future__ import annotations

import os
import socket


def worker_name(app: str) -> str:
    """Application, host and process."""
    return f"{app}@{socket.gethostname()}/{os.getpid()}"
