"""Other forms of a log, which other tools read: JSON Lines for people, Parquet for columns."""
