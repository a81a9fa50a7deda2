"""Ctrl-C as a wish: a command ends between two steps."""

from __future__ import annotations

import os
import signal

import pytest

from cli.signals import stop_wished


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_passed_on_twice_is_one_wish_and_interrupts_nothing(number: signal.Signals) -> None:
    with stop_wished() as wished:
        assert not wished.is_set()
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        assert wished.wait(10)


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_wished():
        assert signal.getsignal(signal.SIGINT) is not before

    assert signal.getsignal(signal.SIGINT) is before
