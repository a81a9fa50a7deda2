"""A lane: outputs before state, state before offsets, and nothing of a lane that broke."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

import pytest

from models.record import Outgoing, Record
from streams.workers.checkpointing import Checkpoint
from streams.workers.lane import Disordered, Lane


@dataclass
class Counting:
    """A machine whose state is the offsets that it has folded; it puts out as many records as it is told."""

    folded: list[int] = field(default_factory=list)
    outputs: int = 1

    def restore(self, packed: bytes) -> None:
        self.folded = list(packed)

    def fold(self, record: Record) -> list[Outgoing]:
        self.folded.append(record.offset)
        return [Outgoing("out", None, b"", (), f"{record.offset}/{number}") for number in range(self.outputs)]

    def snapshot(self) -> bytes:
        return bytes(self.folded)


@dataclass
class Producer:
    """Takes records while `open`, and has stored them once `stored` is set."""

    taken: list[str] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    stored: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    async def send(self, output: Outgoing) -> Awaitable[object]:
        await self.open.wait()
        self.taken.append(output.identity)
        return asyncio.ensure_future(self._store())

    async def _store(self) -> None:
        await self.stored.wait()
        if self.failure:
            raise self.failure


def lane(*, taking: bool = True, storing: bool = True, outputs: int = 1) -> tuple[Lane, Producer]:
    producer = Producer()
    if taking:
        producer.open.set()
    if storing:
        producer.stored.set()
    return Lane("in", Counting(outputs=outputs), producer.send, 5), producer


def at(offset: int) -> Record:
    return Record("in", 0, offset, 0, None, None)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def accept(one: Lane, *offsets: int) -> list[bool]:
    return [await one.accept(at(offset)) for offset in offsets]


async def cut(one: Lane) -> Checkpoint:
    checkpoint = await one.cut(1)
    assert checkpoint is not None
    return checkpoint


def test_records_are_folded_in_order_and_their_outputs_handed_over() -> None:
    async def story() -> None:
        one, producer = lane(outputs=2)

        assert await accept(one, 5, 6) == [True, True]
        assert producer.taken == ["5/0", "5/1", "6/0", "6/1"]

    asyncio.run(story())


def test_a_repeat_is_skipped() -> None:
    async def story() -> None:
        one, producer = lane()

        assert await accept(one, 4, 5, 5, 6) == [False, True, False, True]
        assert producer.taken == ["5/0", "6/0"]

    asyncio.run(story())


def test_a_record_further_on_is_not_folded() -> None:
    async def story() -> None:
        one, producer = lane()
        with pytest.raises(Disordered, match="offset 6 where 5 comes next"):
            await one.accept(at(6))

        assert await accept(one, 5) == [True]
        assert producer.taken == ["5/0"]

    asyncio.run(story())


def test_a_cut_waits_until_all_outputs_are_stored() -> None:
    async def story() -> None:
        one, producer = lane(storing=False)
        await accept(one, 5, 6)
        cutting = asyncio.ensure_future(cut(one))
        await settled()

        assert not cutting.done()
        assert await accept(one, 7) == [True]
        producer.stored.set()
        assert (await cutting).state == bytes([5, 6])

    asyncio.run(story())


def test_cuts_take_turns_between_the_slots_and_hold_what_was_folded() -> None:
    async def story() -> None:
        one, _ = lane()
        await accept(one, 5)
        first = await cut(one)
        await accept(one, 6, 7)
        second = await cut(one)

        assert (first.next_offset, first.state, first.slot) == (6, bytes([5]), 1)
        assert (second.next_offset, second.state, second.slot) == (8, bytes([5, 6, 7]), 0)

    asyncio.run(story())


def test_there_is_nothing_to_store_where_nothing_was_folded() -> None:
    async def story() -> None:
        one, _ = lane()
        assert await one.cut(1) is None
        await accept(one, 5)
        await cut(one)

        assert await one.cut(1) is None

    asyncio.run(story())


def test_a_fold_interrupted_while_its_outputs_are_handed_over_breaks_the_lane() -> None:
    async def story() -> None:
        one, producer = lane(taking=False)
        accepting = asyncio.ensure_future(one.accept(at(5)))
        await settled()
        accepting.cancel()
        await asyncio.wait([accepting])
        producer.open.set()

        assert one.broken
        assert await accept(one, 5, 6) == [False, False]
        assert await one.cut(1) is None

    asyncio.run(story())


def test_a_cut_waits_for_a_fold_under_way() -> None:
    async def story() -> None:
        one, producer = lane(taking=False)
        accepting = asyncio.ensure_future(one.accept(at(5)))
        await settled()
        cutting = asyncio.ensure_future(cut(one))
        await settled()

        assert not cutting.done()
        producer.open.set()
        assert (await cutting).state == bytes([5])
        assert await accepting

    asyncio.run(story())


def test_an_output_that_cannot_be_stored_breaks_the_lane() -> None:
    async def story() -> None:
        one, producer = lane()
        producer.failure = ConnectionError("gone")
        await accept(one, 5)
        with pytest.raises(ConnectionError):
            await one.cut(1)

        assert await one.cut(1) is None
        assert await accept(one, 6) == [False]

    asyncio.run(story())


def test_a_cut_that_is_interrupted_before_its_outputs_are_stored_breaks_the_lane() -> None:
    async def story() -> None:
        one, _ = lane(storing=False)
        await accept(one, 5)
        cutting = asyncio.ensure_future(one.cut(1))
        await settled()
        cutting.cancel()
        await asyncio.wait([cutting])

        assert await accept(one, 6) == [False]
        assert await one.cut(1) is None

    asyncio.run(story())
