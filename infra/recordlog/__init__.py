"""The record log: records of Kafka topics in one compressed file, kept so that they can be folded or sent again.

A file is the magic, then blocks: one with the header, any number with records, an index of these by time, one that says
the log is whole. Each block carries its length and checksums, so whatever stands before a damage can still be read, and
the damage is named. Byte by byte: docs/log-format.md.
"""

from infra.recordlog.block import LogDamaged
from infra.recordlog.header import LogHeader, Part
from infra.recordlog.reader import LogReader
from infra.recordlog.writer import LogWriter

__all__ = ["LogDamaged", "LogHeader", "LogReader", "LogWriter", "Part"]
