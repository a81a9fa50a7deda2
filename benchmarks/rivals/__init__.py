"""Ours beside others that do the same with the same readings, or part of it: in one run, held to the same result."""
