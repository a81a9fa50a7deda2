"""Owners: which worker answers for a telemetry partition, so that others can pass questions on to it."""

from __future__ import annotations

from pydantic import AwareDatetime

from models.names import Published


class Owner(Published):
    """Said by a worker when it takes a partition over, and again now and then; the newest word counts."""

    partition: int
    """Of `fleet.telemetry.v1`."""
    worker: str
    """The same as in its pipeline samples."""
    url: str
    """Where its API is, without a slash at the end."""
    at: AwareDatetime
    """When it was said, by the worker's clock."""
