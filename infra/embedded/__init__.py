"""Apache Kafka and TimescaleDB on this machine, without containers and without root."""
