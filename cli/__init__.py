"""The one place that wires the rest together: the `fleettwin` command."""
