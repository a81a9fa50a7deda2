"""Addresses of receivers: which can be posted to, and what of them may be shown."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from models.errors import ConfigurationError


def checked_url(name: str, url: str) -> str:
    """The address, if it can be posted to.

    Raises:
        ConfigurationError: it cannot; only its server is shown.
    """
    if not _usable(url):
        raise ConfigurationError(name, server_of(url) or "(hidden)", "http://host:port/path or https://host/path")
    return url


def server_of(url: str) -> str:
    """Scheme, host and port of an address; what may be secret, user, path and query, is left out."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}" if parts.scheme and host else ""


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        return False
    # A fragment never leaves a client, and is most likely an unquoted part of a secret.
    return server_of(url) != "" and parts.scheme in ("http", "https") and url.isprintable() and not parts.fragment
