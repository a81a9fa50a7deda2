"""Changes behind checksums: what snapshots, checkpoints and record logs hold is changed, and packed as they pack it."""

from __future__ import annotations

import struct
from io import BytesIO
from random import Random

import zstandard

from infra.recordlog.block import PREAMBLE, VERSION, VERSIONS, Block, BlockRefused, Head, Kind, Span, pack, read
from infra.recordlog.index import TOTAL, Entry, trailer
from models.record import Record
from streams.workers.checkpointing import Checkpoint, furthest, records_of
from tests.fuzz.hostile import NUMBERS
from tests.fuzz.jsons import changed_json
from tests.fuzz.mutating import Change, changed_bytes, packed, records_changed, records_in

_LENGTH = struct.Struct("<Q")


def changed_snapshot(case: bytes, random: Random) -> bytes:
    """A snapshot with something of its head or of its numbers changed; parts of it may be snapshots themselves."""
    if random.random() < 0.2 or len(case) < _LENGTH.size:
        return changed_bytes(case, random)
    end = _LENGTH.size + _LENGTH.unpack_from(case)[0]
    top, rest = case[_LENGTH.size : end], case[end:]
    if random.random() < 0.5 or not rest:
        top = changed_json(top, random) or changed_bytes(top, random)
    elif rest[_LENGTH.size : _LENGTH.size + 1] == b"{":
        rest = changed_snapshot(rest, random)
    else:
        place = random.randrange(max(len(rest) // 8, 1)) * 8
        rest = rest[:place] + (random.choice(NUMBERS) % 2**64).to_bytes(8, "little") + rest[place + 8 :]
    return _LENGTH.pack(len(top)) + top + rest


def changed_site_state(case: bytes, random: Random) -> bytes:
    """The same of a site machine, whose head names how long each site's snapshot is: mostly one of those is changed."""
    if random.random() < 0.3 or len(case) < _LENGTH.size:
        return changed_snapshot(case, random)
    end = _LENGTH.size + _LENGTH.unpack_from(case)[0]
    top, site = case[_LENGTH.size : end], case[end:]
    longer = changed_snapshot(site, random)
    top = top.replace(b'"sizes":[%d]' % len(site), b'"sizes":[%d]' % len(longer))
    return _LENGTH.pack(len(top)) + top + longer


def changed_checkpoint(lane: str) -> Change:
    """The records of a checkpoint: now and then with another state, and a manifest that fits it."""
    anyhow = records_changed(lane)

    def changed(case: bytes, random: Random) -> bytes:
        if random.random() < 0.5:
            return anyhow(case, random)
        found = furthest(lane, {one.key or b"": one.value or b"" for one in records_in(case, lane)})
        state = random.randbytes(50) if found is None else changed_snapshot(found.state, random)
        cut = Checkpoint(lane, random.choice(NUMBERS), state, random.randrange(2), random.choice((1, 2**40)))
        try:
            return packed([Record(lane, 0, 0, 0, key, value) for key, value in records_of(cut)])
        except ValueError:
            return case

    return changed


def changed_log(case: bytes, random: Random) -> bytes:
    """A record log with the content or the times of one of its blocks changed, under checksums that fit."""
    version, blocks = _blocks(case)
    if not blocks or random.random() < 0.2:
        return changed_bytes(case, random)
    place = random.randrange(len(blocks))
    head, raw = blocks[place].head, blocks[place].raw
    kind, records, span = head.kind, head.records, head.span
    match random.randrange(10):
        case 0:
            kind, raw = random.choice(tuple(Kind)), TOTAL.pack(random.randrange(9))
        case 1:
            span = Span(*sorted((random.choice((*NUMBERS, *span)) % 2**63, span.latest)))
        case 2 | 3 if kind is Kind.INDEX:
            raw = _changed_index(raw, random)
        case _:
            raw = (changed_json(raw, random) if kind is Kind.HEADER else None) or changed_bytes(raw, random)
    blocks[place] = Block(Head(kind, records, 0, len(raw), 0, span, 0), raw)
    return _log_of(version, blocks)


def _changed_index(raw: bytes, random: Random) -> bytes:
    """An index that says of a block that it is of another time."""
    size = len(Entry(0, 0, 0, 0, Span(0, 0)).pack())
    place = random.randrange(len(raw) // size) * size if len(raw) >= size else 0
    times = struct.pack("<qqqq", *(random.choice(NUMBERS) % 2**63 for _ in range(4)))
    return raw[: place + size - len(times)] + times + raw[place + size :]


def _log_of(version: int, blocks: list[Block]) -> bytes:
    """A log of these blocks, whose last bytes lead to its index."""
    compressor = zstandard.ZstdCompressor(level=1)
    content, index = bytearray(PREAMBLE.pack(b"fleetlog", version)), 0
    for one in blocks:
        index = index or (len(content) if one.kind in (Kind.INDEX, Kind.END) else 0)
        content += pack(one.kind, one.head.records, one.raw, compressor, version=version, span=one.head.span)
    return bytes(content) + (b"" if version == 1 else trailer(index))


def _blocks(case: bytes) -> tuple[int, list[Block]]:
    """The version and the blocks of a log, as far as they can be read."""
    version = PREAMBLE.unpack_from(case)[1] if len(case) >= PREAMBLE.size else VERSION
    file, decompressor, found = BytesIO(case[PREAMBLE.size :]), zstandard.ZstdDecompressor(), list[Block]()
    try:
        while version in VERSIONS and (block := read(file, decompressor, version)) is not None and len(found) < 20:
            found.append(block)
    except BlockRefused:
        pass
    return version, found
