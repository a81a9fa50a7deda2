"""The whole pipeline at work, measured: simulator, Kafka, twin, store and database on one machine."""
