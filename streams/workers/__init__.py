"""The Faust workers: lanes around the pure machines, their checkpoints, the clock, and the store."""
