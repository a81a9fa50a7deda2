"""The machines' rules as the settings have them."""

from __future__ import annotations

from infra.settings import TwinSettings
from twin.rules import Rules


def rules_of(settings: TwinSettings) -> Rules:
    """The rules; fractions become parts per million."""
    return Rules(
        tick=settings.tick_milliseconds,
        grace=settings.grace_milliseconds,
        stale_after=settings.stale_after_milliseconds,
        lost_after=settings.lost_after_milliseconds,
        longest_gap=settings.longest_gap_milliseconds,
        node_interval=settings.node_interval_milliseconds,
        idle_below=round(settings.idle_below * 1_000_000),
        idle_after=settings.idle_after_milliseconds,
        longest_jump=settings.longest_jump_milliseconds,
        open_after=settings.open_after_milliseconds,
        resolve_after=settings.resolve_after_milliseconds,
        unplaced_after=settings.unplaced_after_milliseconds,
        escalate_after=settings.escalate_after_milliseconds,
        unknown_above=round(settings.unknown_above * 1_000_000),
    )
