"""What the twin knows and computes: pure state machines over records, `(state, record) -> (state, outputs)`."""
