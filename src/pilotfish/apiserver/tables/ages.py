"""Times as people read them in tables.

Source: kubernetes v1.36 k8s.io/apimachinery/pkg/util/duration/duration.go.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, Final

UNKNOWN: Final = "<unknown>"
INVALID: Final = "<invalid>"

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}
# The unit of a span shorter than the limit, and the one of the rest; the same where there is none.
_FORMS: Final = (
    ("s", "s", 2 * _UNITS["m"]),
    ("m", "s", 10 * _UNITS["m"]),
    ("m", "m", 3 * _UNITS["h"]),
    ("h", "m", 8 * _UNITS["h"]),
    ("h", "h", 2 * _UNITS["d"]),
    ("d", "h", 8 * _UNITS["d"]),
    ("d", "d", 2 * _UNITS["y"]),
    ("y", "d", 8 * _UNITS["y"]),
    ("y", "y", math.inf),
)


def human_duration(seconds: float) -> str:
    """Render a span with two or three significant figures: 45s, 3m10s, 2h, 5d, 3y20d."""
    whole = int(seconds)
    if whole < 0:
        return INVALID if whole < -1 else "0s"  # a clock may be a second late
    first, second = next((first, second) for first, second, limit in _FORMS if whole < limit)
    large, small = _UNITS[first], _UNITS[second]
    rest = whole % large // small if first != second else 0
    return f"{whole // large}{first}" + (f"{rest}{second}" if rest else "")


def seconds_of(timestamp: Any) -> float | None:
    """Return seconds since the epoch; None where there is no time."""
    if not isinstance(timestamp, str) or not timestamp:
        return None
    try:
        parsed = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def age(timestamp: Any, now: float) -> str:
    """Render how long ago a timestamp is."""
    seconds = seconds_of(timestamp)
    return UNKNOWN if seconds is None else human_duration(now - seconds)
