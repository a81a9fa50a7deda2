"""Colours, each with one meaning on every page, and the thresholds and words that go with them."""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.models.dashboard import (
    FieldColor,
    FieldColorModeId,
    Threshold,
    ThresholdsConfig,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

GOOD = "green"
SOON = "orange"
"""Somebody should look at it today."""
ACT = "red"
"""Somebody should act now."""
UNKNOWN = "#8e8e8e"
"""Nobody knows: neither good nor bad."""
NEUTRAL = "blue"
ASIDE = "purple"
"""Taken out of service on purpose."""
WEAK = "light-blue"
LOST = "dark-red"
LIMIT = "text"
"""What cannot be exceeded; drawn as a dashed line in the colour of writing."""

NODE_COLOURS: Mapping[str, str] = {
    "in service": GOOD,
    "draining": WEAK,
    "maintenance": ASIDE,
    "failed": ACT,
    "stale": SOON,
    "lost": LOST,
    "never seen": UNKNOWN,
}
SEVERITIES: Mapping[str, tuple[str, str]] = {
    "0": ("none", "transparent"),
    "1": ("info", NEUTRAL),
    "2": ("warning", SOON),
    "3": ("critical", ACT),
}
"""Severities as numbers, for panels that can only draw numbers: the word and its colour."""


def neutral() -> ThresholdsConfig:
    """No value is better than another."""
    return _steps((None, NEUTRAL))


def quiet() -> ThresholdsConfig:
    """In the colour of writing: for figures to read, not to watch."""
    return _steps((None, LIMIT))


def rising(soon: float | None, act: float) -> ThresholdsConfig:
    """High is bad: from `soon` on it should be looked at, from `act` on acted upon."""
    return _steps((None, GOOD), *(() if soon is None else ((soon, SOON),)), (act, ACT))


def falling(act: float, soon: float) -> ThresholdsConfig:
    """Low is bad: below `soon` it should be looked at, below `act` acted upon."""
    return _steps((None, ACT), (act, SOON), (soon, GOOD))


def soon_from(soon: float) -> ThresholdsConfig:
    """From so much on it should be looked at; nothing of it is for tonight."""
    return _steps((None, LIMIT), (soon, SOON))


def headroom() -> ThresholdsConfig:
    """Of a supply: below a twentieth there is no room for a surge, below a seventh none for more work."""
    return falling(0.05, 0.15)


def heat() -> ThresholdsConfig:
    """Of accelerators, in degrees Celsius: they slow down from about 85 on."""
    return rising(80, 85)


def words(known: Mapping[str, tuple[str, str]]) -> list[ValueMap]:
    """Show values as words of a colour: value to word and colour."""
    return [
        ValueMap(
            options={
                value: ValueMappingResult(text=text, color=colour, index=index)
                for index, (value, (text, colour)) in enumerate(known.items())
            }
        )
    ]


def named(known: Mapping[str, str]) -> list[ValueMap]:
    """Show words in a colour: word to colour."""
    return words({word: (word, colour) for word, colour in known.items()})


SEVERITY_WORDS: Mapping[str, str] = {"critical": ACT, "warning": SOON, "info": NEUTRAL}


def by_threshold() -> FieldColor:
    """Coloured by the thresholds."""
    return FieldColor(mode=FieldColorModeId.THRESHOLDS)


def by_name() -> FieldColor:
    """Each series in a colour of its own, the same wherever its name occurs."""
    return FieldColor(mode=FieldColorModeId.PALETTE_CLASSIC_BY_NAME)


def fixed(colour: str) -> FieldColor:
    """In this colour."""
    return FieldColor(mode=FieldColorModeId.FIXED, fixed_color=colour)


def _steps(*steps: tuple[float | None, str]) -> ThresholdsConfig:
    return ThresholdsConfig(
        mode=ThresholdsMode.ABSOLUTE, steps=[Threshold(value=value, color=colour) for value, colour in steps]
    )
