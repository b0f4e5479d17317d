"""How many pods a workload wants and has, and shares of these numbers."""

from __future__ import annotations

from math import ceil, floor

from pilotfish.api.selectors import int64
from pilotfish.cluster.objects import JsonObject


def scaled_value(value: int | str | None, total: int, *, round_up: bool) -> int:
    """Resolve a number or a percentage of a total."""
    if isinstance(value, str) and value.endswith("%"):
        exact = (int64(value[:-1]) or 0) * total / 100
        return ceil(exact) if round_up else floor(exact)
    return int(value or 0)


def replicas_of(workload: JsonObject) -> int:
    """Give how many replicas are wanted."""
    count: int = workload["spec"].get("replicas", 1)
    return count


def status_count(workload: JsonObject | None, field: str) -> int:
    """Read a count of the status."""
    count: int = ((workload or {}).get("status") or {}).get(field, 0)
    return count
