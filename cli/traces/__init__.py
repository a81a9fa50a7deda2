"""`fleettwin traces`: public measurements, from where they are published to a log that can be replayed."""
