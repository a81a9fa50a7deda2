"""One Redfish service over time: logged in once, again when the session has ended, never so often as to be locked out.

DMTF's library brings the session, and that no request leaves the service's own address.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from redfish.aio import AsyncRedfishClient, RedfishAuthenticationError, RedfishError

from models.wording import printable
from streams.publish.metering.resources import Resource

LARGEST_ANSWER = 8 * 2**20
"""Bytes of one resource, unpacked."""

REFUSED_PAUSE_SECONDS = 300.0
"""Until a password that was refused is tried again; controllers lock an account after a few attempts."""


class Unanswered(Exception):
    """There is no answer that could be read."""


class Absent(Unanswered):
    """There is no such resource."""


class BoundedResponse(aiohttp.ClientResponse):
    """An answer that is read no further than it may be long; the library would read on for ever."""

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            aiohttp.ClientPayloadError: it is too long, or not whole.
        """
        if self._body is None:
            body = bytearray()
            async for chunk in self.content.iter_any():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    self.close()
                    raise aiohttp.ClientPayloadError(f"an answer of more than {LARGEST_ANSWER} bytes")
            self._body = bytes(body)
        return self._body


@dataclass
class Connection:
    """Asks one service.

    Args:
        url: Scheme, host and port.
        session: Of aiohttp, shared by all; answers are of `BoundedResponse`.
        user: None where nobody is to log in.
        password: Read whenever it is needed; may raise ConfigurationError.
        seconds: For one request.
    """

    url: str
    session: aiohttp.ClientSession
    user: str | None
    password: Callable[[], str | None]
    seconds: float
    _client: AsyncRedfishClient | None = None
    _said: str | None = None
    """The password that the client has."""
    _refused: tuple[str, float] | None = None
    """The password, and when."""
    _login: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, path: str) -> Resource:
        """The resource at that path.

        Raises:
            Absent: there is none.
            Unanswered: says why.
            ConfigurationError: the password cannot be read.
        """
        client = await self._logged_in()
        try:
            answer = await client.get(path)
            resource = answer.dict if answer.status == 200 else None
        except RedfishAuthenticationError as error:
            self._refused = (self._said or "", time.monotonic())
            self._client = None
            raise Unanswered(f"its session has ended, and {_words(error)}") from None
        except (RedfishError, RecursionError) as error:
            raise Unanswered(f"{path}: {_words(error)}") from None
        if answer.status in (404, 410):
            raise Absent(f"{path}: there is no such resource")
        if answer.status != 200:
            raise Unanswered(f"{path}: {answer.status}")
        if not isinstance(resource, dict):
            raise Unanswered(f"{path}: its answer is no JSON object")
        return resource

    async def close(self) -> None:
        """Log out; a service that does not answer ends the session by itself some time."""
        client, self._client = self._client, None
        if client is not None:
            try:
                await client.logout()
            except RedfishError:
                return

    async def _logged_in(self) -> AsyncRedfishClient:
        async with self._login:
            if self._client is None:
                self._client = await self._new_client()
            return self._client

    async def _new_client(self) -> AsyncRedfishClient:
        timeout = aiohttp.ClientTimeout(total=self.seconds)
        if self.user is None:
            return AsyncRedfishClient(self.url, session=self.session, timeout=timeout)
        self._said = self.password() or ""
        if self._refused is not None and self._refused[0] == self._said:
            pause = self._refused[1] + REFUSED_PAUSE_SECONDS - time.monotonic()
            if pause > 0:
                raise Unanswered(f"the login was refused; once more in {pause:.0f} s, or when the password has changed")
        client = AsyncRedfishClient(self.url, self.user, self._said, session=self.session, timeout=timeout)
        try:
            await client.login()
        except RedfishAuthenticationError as error:
            self._refused = (self._said, time.monotonic())
            raise Unanswered(_words(error)) from None
        except (RedfishError, RecursionError) as error:
            raise Unanswered(_words(error)) from None
        return client


def _words(error: Exception) -> str:
    """With what lies beneath, on one line."""
    beneath = str(error.__cause__) if error.__cause__ is not None else ""
    return printable(" ".join(f"{error}: {beneath}".rstrip(": ").split()))[:300]
