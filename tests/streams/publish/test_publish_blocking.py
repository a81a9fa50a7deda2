"""Blocking calls made from an event loop."""

import asyncio
import threading

import pytest

from models.errors import Unavailable
from streams.publish.blocking import OneAtATime


def asking(timeout_seconds: float = 20.0) -> OneAtATime:
    return OneAtATime("the library", "Look at it", timeout_seconds)


def test_the_answer_comes_from_a_thread_that_does_not_keep_the_process_from_ending() -> None:
    async def ask() -> threading.Thread:
        return await asking()(threading.current_thread)

    thread = asyncio.run(ask())
    assert thread is not threading.main_thread()
    assert thread.daemon


@pytest.mark.parametrize("error", [KeyError("a"), TimeoutError("the call's own")])
def test_what_the_call_raises_is_raised(error: Exception) -> None:
    def fails() -> None:
        raise error

    async def ask() -> None:
        await asking()(fails)

    with pytest.raises(type(error)) as raised:
        asyncio.run(ask())

    assert raised.value is error


def test_giving_up_names_who_did_not_answer_and_drops_the_late_answer() -> None:
    back = threading.Event()

    async def ask() -> tuple[str, str, str]:
        asked = asking(timeout_seconds=0.05)
        with pytest.raises(Unavailable) as first:
            await asked(lambda: back.wait() and "late")
        with pytest.raises(Unavailable) as second:
            await asked(lambda: "never asked")
        back.set()
        while True:
            try:
                return str(first.value), str(second.value), await asked(lambda: "anew")
            except Unavailable:
                await asyncio.sleep(0)

    assert asyncio.run(ask()) == (
        "the library: no answer within 0.05 s. Look at it",
        "the library: the driver has not come back from an earlier call. Look at it",
        "anew",
    )
