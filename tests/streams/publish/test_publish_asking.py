"""A source that fails, hangs or blocks is named, and asked again; it stops nobody."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from models.errors import ConfigurationError, Unavailable
from streams.publish.asking import asked
from streams.publish.measures import Component, Failure, Sampled
from tests.publish_fakes import FakeSource, component, node

TIMEOUT = -0.9
"""With the grace of a second: a tenth of a second, for those that never answer."""

PATIENCE = 20.0
"""For those that do, however busy the machine is."""

GOOD = Sampled((node(),))


def test_what_a_source_says_is_passed_on() -> None:
    with asked(FakeSource(GOOD, nodes=[component()]), PATIENCE) as asking:
        assert list(asking.discover()) == [component()]
        assert asking.sample() == GOOD


def test_a_source_is_closed_in_the_end() -> None:
    source = FakeSource()
    with asked(source, PATIENCE):
        assert not source.closed

    assert source.closed


@pytest.mark.parametrize(
    ("error", "why"),
    [
        pytest.param(ValueError("no such thing"), "ValueError: no such thing", id="an-error-of-a-library"),
        pytest.param(Unavailable("driver", "it is not loaded", "Load it"), "it is not loaded", id="one-of-ours"),
        pytest.param(TimeoutError("its own"), "TimeoutError: its own", id="its-own-timeout"),
        pytest.param(
            ModuleNotFoundError("No module named 'x'", name="x"),
            "the library x is not installed; Install fleettwin anew",
            id="a-library-that-is-not-there",
        ),
        pytest.param(KeyError("libamd_smi.so"), "KeyError: 'libamd_smi.so'", id="a-library-that-is-none"),
    ],
)
def test_a_source_that_raises_is_named_and_asked_again(error: Exception, why: str) -> None:
    with asked(FakeSource(error, GOOD), PATIENCE) as asking:
        assert asking.sample() == Sampled(failures=(Failure("fake", why),))
        assert asking.sample() == GOOD


def test_a_source_that_waits_for_too_long_is_given_up_and_asked_again() -> None:
    async def wait() -> Sampled:
        await asyncio.sleep(60)
        return GOOD

    with asked(FakeSource(wait, GOOD), TIMEOUT) as asking:
        (failure,) = asking.sample().failures
        assert failure == Failure("fake", "it did not answer within 0.1 s")
        assert _awaited(asking.sample) == GOOD
        assert not asking.hangs


def test_a_source_that_blocks_its_thread_is_asked_again_once_it_has_come_back() -> None:
    let_go = threading.Event()

    async def block() -> Sampled:
        let_go.wait(60)
        return GOOD

    with asked(FakeSource(block, GOOD), TIMEOUT) as asking:
        began = time.monotonic()
        first, second = asking.sample(), asking.sample()

        assert time.monotonic() - began < 10
        assert [one.why for one in first.failures] == ["it did not answer within 0.1 s"]
        assert [one.why for one in second.failures] == ["it has not come back from the question before"]
        assert asking.hangs

        let_go.set()
        assert _awaited(asking.sample) == GOOD


def test_a_call_that_hangs_in_a_library_does_not_outlive_the_end() -> None:
    let_go = threading.Event()

    async def hang() -> Sampled:
        await asyncio.to_thread(let_go.wait, 60)
        return GOOD

    with asked(FakeSource(hang), TIMEOUT) as asking:
        assert asking.sample().failures != ()
    left = [one for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()]
    let_go.set()

    assert left == []


def test_what_cannot_be_is_told_to_whoever_discovers() -> None:
    class Misled(FakeSource):
        async def discover(self) -> Sequence[Component]:
            raise ConfigurationError("--type", "h100-smx", "another")

    with asked(Misled(), PATIENCE) as asking, pytest.raises(ConfigurationError, match="h100-smx"):
        asking.discover()


def test_a_source_that_fails_in_its_own_way_is_named_to_whoever_discovers() -> None:
    class Broken(FakeSource):
        async def discover(self) -> Sequence[Component]:
            raise KeyError("libamd_smi.so")

    with asked(Broken(), PATIENCE) as asking, pytest.raises(Unavailable, match="source fake: KeyError: 'libamd_smi"):
        asking.discover()


def _awaited(sample: Callable[[], Sampled]) -> Sampled:
    """The first sample that is no failure: a source comes back in its own time."""
    deadline = time.monotonic() + 20
    while True:
        sampled = sample()
        if not sampled.failures or time.monotonic() > deadline:
            return sampled
        time.sleep(0.01)
