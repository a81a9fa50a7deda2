"""How large the buffers of an Arrow IPC stream are once they are unpacked, told by its metadata before any of them is.

A few kilobytes of compressed zeros become gigabytes, and Arrow knows no limit. It never unpacks more of a buffer than
the eight bytes before it say, so these are added up here.
Source: Message.fbs of Arrow's columnar format, section "Encapsulated message format"; FlatBuffers' internals.
"""

from __future__ import annotations

import struct

import pyarrow as pa

_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_NOT_COMPRESSED = -1

_OFFSET = struct.Struct("<I")
_SIGNED_OFFSET = struct.Struct("<i")
_FIELD = struct.Struct("<H")
_LENGTH = struct.Struct("<q")
_BUFFER = struct.Struct("<qq")
"""Where a buffer begins in the body, and its length there."""


def unpacked_bytes(stream: bytes) -> int:
    """The sum over all buffers; nothing is unpacked.

    Raises:
        ValueError: this is no such stream.
        pyarrow.ArrowException, OSError: as above, in Arrow's words.
    """
    try:
        return sum(map(_of_message, pa.ipc.MessageReader.open_stream(pa.py_buffer(stream))))
    except (struct.error, IndexError) as error:
        raise ValueError(f"the metadata points beyond its end: {error}") from None


def _of_message(message: pa.ipc.Message) -> int:
    body = message.body
    if body is None or not body.size:
        return 0
    top = memoryview(message.metadata)
    table = _OFFSET.unpack_from(top, 0)[0]
    kind, batch = _at(top, table, 1), _at(top, table, 2)
    if not kind or not batch or top[kind] not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return int(body.size)
    batch = _followed(top, batch)
    if top[kind] == _DICTIONARY_BATCH:
        batch = _followed(top, _at(top, batch, 1) or len(top))
    if not _at(top, batch, 3):  # no compression
        return int(body.size)
    return _unpacked(top, _followed(top, _at(top, batch, 2) or len(top)), memoryview(body))


def _unpacked(top: memoryview, buffers: int, body: memoryview) -> int:
    """The sum of what a vector of compressed buffers says before each of them."""
    total = 0
    for number in range(_OFFSET.unpack_from(top, buffers)[0]):
        begin, length = _BUFFER.unpack_from(top, buffers + _OFFSET.size + number * _BUFFER.size)
        if begin < 0 or length < 0:
            raise ValueError(f"a buffer of {length} bytes at {begin}")
        if length == 0:
            continue
        said = _LENGTH.unpack_from(body, begin)[0]
        if said < _NOT_COMPRESSED:
            raise ValueError(f"a buffer that unpacks to {said} bytes")
        total += length if said == _NOT_COMPRESSED else said
    return total


def _at(top: memoryview, table: int, field: int) -> int:
    """Where a field of a table stands; 0 where it is left out."""
    layout = table - _SIGNED_OFFSET.unpack_from(top, table)[0]
    place = 2 * _FIELD.size + field * _FIELD.size
    if layout < 0 or place >= _FIELD.unpack_from(top, layout)[0]:
        return 0
    within = _FIELD.unpack_from(top, layout + place)[0]
    return table + within if within else 0


def _followed(top: memoryview, place: int) -> int:
    """Where an offset that stands there leads."""
    return int(place + _OFFSET.unpack_from(top, place)[0])
