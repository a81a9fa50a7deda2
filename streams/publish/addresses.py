"""Addresses of what is asked over the network: which can be, and how they are shown."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from models.errors import ConfigurationError
from streams.forwarding.addresses import server_of
from streams.publish.options import SourceOptions, Target


def checked_address(target: Target) -> str:
    """The target's address, if it can be asked.

    Raises:
        ConfigurationError: it has none, or one that cannot be asked, or one with a user or a password in it.
    """
    setting, url = f"targets: {target.identity.node}: url", target.url
    if not url:
        raise ConfigurationError(setting, url, "http://host:port/path or https://host/path")
    parts = urlsplit(url) if server_of(url) else None
    if parts is None or parts.scheme not in ("http", "https") or not url.isprintable() or parts.fragment:
        raise ConfigurationError(setting, server_of(url) or "(hidden)", "http://host:port/path or https://host/path")
    if "@" in parts.netloc:
        raise ConfigurationError(setting, server_of(url), "no user or password: these come from `user` and from files")
    return url


def shown(url: str) -> str:
    """Server and path, where they can be told; a query may hold secrets."""
    try:
        return f"{server_of(url)}{urlsplit(url).path}"
    except ValueError:
        return "an address that is none"


def tls_context(options: SourceOptions) -> ssl.SSLContext:
    """What is trusted: a file's authorities, else those of the system; everybody where nothing is to be verified.

    Raises:
        ConfigurationError: the file cannot be read, or has no certificates.
    """
    try:
        context = ssl.create_default_context(cafile=None if options.ca_file is None else str(options.ca_file))
    except OSError as error:
        why = "no certificates in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError("ca_file", str(options.ca_file), f"a readable PEM file ({why})") from None
    if not options.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
