"""Durations as Go writes them: `1h2m3.5s`.

Source: Go 1.26 src/time/format.go (ParseDuration), src/time/time.go (Duration.String).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from pilotfish.config.errors import ConfigError

_NANOSECONDS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_WHOLE: Final = re.compile(rf"[+-]?(?:0|(?:{_PART.pattern})+)", re.ASCII)
_SECOND: Final = 10**9


def parse_duration(text: str) -> int:
    """Return a duration in nanoseconds.

    Raises:
        ConfigError: the text is no duration.
    """
    if _WHOLE.fullmatch(text) is None:
        raise ConfigError(f"{text!r} is no duration; write it as in 15s, 1m30s or 500ms")
    total = sum(int(Fraction(n) * _NANOSECONDS[unit]) for n, unit in _PART.findall(text))
    return -total if text.startswith("-") else total


def format_duration(nanoseconds: int) -> str:
    """Write a duration as Go does: 10m0s, 1.5s, 20ms."""
    if nanoseconds < 0:
        return "-" + format_duration(-nanoseconds)
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < _SECOND:
        unit = next(u for u in ("ms", "µs", "ns") if nanoseconds >= _NANOSECONDS[u])
        return _decimal(Fraction(nanoseconds, _NANOSECONDS[unit])) + unit
    minutes, rest = divmod(nanoseconds, 60 * _SECOND)
    hours, minutes = divmod(minutes, 60)
    before = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return before + _decimal(Fraction(rest, _SECOND)) + "s"


def _decimal(number: Fraction) -> str:
    whole, rest = divmod(number, 1)
    digits = f"{int(rest * _SECOND):09d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
