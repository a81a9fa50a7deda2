"""Certificates made for one test session: an authority, what it has signed, and another one that nobody trusts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

HOST = "127.0.0.1"
CLIENT = "mutual-client"
"""The common name in the client's certificate."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Who has signed what the servers and the client show."""
        return self.folder / "authority.pem"

    @property
    def stranger(self) -> Path:
        """Another authority."""
        return self.folder / "stranger.pem"

    @property
    def server(self) -> Path:
        """Key and certificate of both servers, made out to 127.0.0.1 alone."""
        return self.folder / "server.pem"

    @property
    def client(self) -> Path:
        """Key and certificate of a client."""
        return self.folder / "client.pem"

    @property
    def strange_client(self) -> Path:
        """The same, signed by the other authority."""
        return self.folder / "strange-client.pem"

    @property
    def locked_client(self) -> Path:
        """The client's, with a key that asks for a password."""
        return self.folder / "locked-client.pem"


def made(folder: Path) -> Certificates:
    """Make all of them."""
    found = Certificates(folder)
    authority, stranger = trustme.CA(), trustme.CA()
    found.authority.write_bytes(authority.cert_pem.bytes())
    found.stranger.write_bytes(stranger.cert_pem.bytes())
    _write(found.server, authority.issue_cert(HOST))
    _write(found.client, authority.issue_cert(CLIENT, common_name=CLIENT))
    _write(found.locked_client, authority.issue_cert(CLIENT), serialization.BestAvailableEncryption(b"a password"))
    _write(found.strange_client, stranger.issue_cert(CLIENT, common_name=CLIENT))
    return found


def _write(
    path: Path,
    made_out: trustme.LeafCert,
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption(),  # noqa: B008  # holds nothing
) -> None:
    """Key first; as PKCS 8, the one form that Kafka reads."""
    key = serialization.load_pem_private_key(made_out.private_key_pem.bytes(), None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
    )
    path.write_bytes(key + b"".join(blob.bytes() for blob in made_out.cert_chain_pems))
    path.chmod(0o600)
