"""Topics into record logs, and record logs into topics."""
