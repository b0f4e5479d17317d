"""Short names for pod templates, safe in labels and names."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pilotfish.cluster.objects import JsonObject

ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"  # upstream's: no vowels, so no words
_FNV_OFFSET: Final = 2166136261
_FNV_PRIME: Final = 16777619
_MASK: Final = 0xFFFFFFFF
_ENCODER = msgspec.json.Encoder(order="deterministic")


def template_hash(template: JsonObject, collision_count: int = 0) -> str:
    """Give a text of at most ten letters that equal templates share.

    Source: kubernetes v1.36 pkg/controller/controller_utils.go, ComputeHash. differs: upstream
        hashes a dump of its Go structs, so that the letters are others.
    """
    value = _FNV_OFFSET
    for byte in _ENCODER.encode([without_nothing(template), collision_count]):
        value = ((value ^ byte) * _FNV_PRIME) & _MASK
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in str(value))


def without_nothing(value: Any) -> Any:
    """Drop nulls and empty maps and lists, which mean the same as absence in a template."""
    match value:
        case dict():
            pairs = ((key, without_nothing(item)) for key, item in value.items())
            return {key: item for key, item in pairs if item not in (None, {}, [])}
        case list():
            return [without_nothing(item) for item in value]
        case _:
            return value
