"""Real faults on real servers and processes, held against the oracle; see docs/reliability.md."""
