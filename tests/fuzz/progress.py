"""What a fuzzer's process tells its supervisor while it runs, in a file that both map."""

from __future__ import annotations

import struct

PROGRESS = struct.Struct("<QQ")
"""How many cases were begun, and the most megabytes that the process has taken."""
