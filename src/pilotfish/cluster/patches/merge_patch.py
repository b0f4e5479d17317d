"""JSON merge patch (RFC 7386).

Source: kubernetes v1.36 vendor gopkg.in/evanphx/json-patch.v4/merge.go, which keeps RFC 7386.
"""

from __future__ import annotations

from typing import Any

from pilotfish.cluster.patches.errors import MalformedPatchError
from pilotfish.cluster.patches.values import JsonObject, without_nulls


def merge_patch(obj: JsonObject, patch: Any) -> JsonObject:
    """Return what a merge patch makes of an object; neither argument is changed.

    Raises:
        MalformedPatchError: the patch is no object.
    """
    if not isinstance(patch, dict):
        raise MalformedPatchError("Invalid JSON Patch")
    return _merged(obj, patch)


def _merged(obj: JsonObject, patch: JsonObject) -> JsonObject:
    merged = dict(obj)
    for key, value in patch.items():
        current = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(current, dict):
            merged[key] = _merged(current, value)
        else:
            merged[key] = without_nulls(value)
    return merged
