"""The log while something is wrong for long: each complaint now and then, and none is forgotten."""

import logging

from streams.workers.repeats import Repeats


def said(calm: Repeats, text: str, *values: object, name: str = "aiokafka") -> str | None:
    """What is logged of a line; None where nothing is."""
    record = logging.LogRecord(name, logging.ERROR, "client.py", 1, text, values, None)
    return record.getMessage() if calm.filter(record) else None


def test_a_line_is_said_at_once_and_then_with_how_often_it_was_not() -> None:
    now = [0.0]
    calm = Repeats(10, lambda: now[0])

    assert said(calm, "no node %s", 1) == "no node 1"
    now[0] = 9.9
    assert said(calm, "no node %s", 1) is None
    assert said(calm, "no node %s", 1) is None
    now[0] = 10.0
    assert said(calm, "no node %s", 1) == "no node 1 (and 2 times more)"
    now[0] = 20.0
    assert said(calm, "no node %s", 1) == "no node 1"


def test_lines_that_differ_in_numbers_alone_are_alike_and_all_others_are_not() -> None:
    calm = Repeats(10, lambda: 0.0)

    assert said(calm, "late by 1.5 s") == "late by 1.5 s"
    assert said(calm, "late by 2 s") is None
    assert said(calm, "early by 2 s") == "early by 2 s"
    assert said(calm, "late by 2 s", name="faust") == "late by 2 s"


def test_ever_new_lines_take_no_more_room() -> None:
    calm = Repeats(10, lambda: 0.0)

    texts = ["x" * length for length in range(1, 3000)]
    assert all(said(calm, text) == text for text in texts)
    assert len(calm._said) <= 1000
