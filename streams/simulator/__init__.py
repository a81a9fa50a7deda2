"""The simulator: a scenario becomes telemetry, site facts and demand, on Kafka or as plain records."""
