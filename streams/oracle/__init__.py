"""The oracle: logs folded again in one process, and everything else held against the result."""
