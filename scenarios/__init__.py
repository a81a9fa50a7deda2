"""Fleets as YAML files."""
