"""Scraping: exporters' answers over HTTP become measures, by a map of the exporter's metrics."""
