"""Which port a server gets."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from infra.embedded import ports
from models.errors import ConfigurationError


@pytest.fixture
def held() -> Iterator[int]:
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_fixed_port_that_is_free_is_taken() -> None:
    free = ports.choose("X", None, None)

    assert ports.choose("X", free, remembered=1) == free


def test_a_fixed_port_that_is_held_is_the_users_to_fix(held: int) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"X is {held}; expected a free port; this one is held by .+ \(process \d+\)"
    ):
        ports.choose("X", held, None)


def test_the_remembered_port_is_used_again_if_it_is_free(held: int) -> None:
    free = ports.choose("X", None, None)

    assert ports.choose("X", None, remembered=free) == free
    assert ports.choose("X", None, remembered=held) != held


def test_two_servers_do_not_get_the_same_port() -> None:
    free = ports.choose("X", None, None)

    assert ports.choose("X", None, remembered=free, taken={free}) != free
