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
    parts = urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable or not url.isprintable() or parts.fragment:
        raise ConfigurationError(name, server_of(url) or "(hidden)", "http://host:port/path or https://host/path")
    return url


def server_of(url: str) -> str:
    """Scheme, host and port of an address; what may be secret, user, path and query, is left out."""
    parts = urlsplit(url)
    try:
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        port = ""
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.scheme and parts.hostname else ""
