"""Which metric of which exporter is which measure, as data."""
