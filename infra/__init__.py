"""What it runs on: settings, topics, the adapters of Kafka and TimescaleDB, embedded servers."""
