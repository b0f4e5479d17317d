"""Lists in objects, which are left out where they are empty."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pilotfish.cluster.objects import JsonObject


def put_list(parent: JsonObject, field: str, items: Iterable[Any]) -> None:
    """Set a list, or drop the field where there are no items, as Go's omitempty does."""
    found = list(items)
    if found:
        parent[field] = found
    else:
        parent.pop(field, None)
