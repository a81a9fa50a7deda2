"""The TimescaleDB adapter: the schema and its history, writing rows once, rolling them up, dropping the old ones."""
