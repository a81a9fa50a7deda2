"""The exact planner: which pending demand could be served now, and what holds back the rest."""
