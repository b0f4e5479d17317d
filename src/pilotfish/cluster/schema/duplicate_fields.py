"""Fields that a JSON text names twice, which decoding it does not show."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pilotfish.cluster.schema.decoding import Path, strict_path


class _Twice(dict[str, Any]):
    """An object whose text named these keys more than once."""

    twice: frozenset[str]


def duplicate_fields(text: bytes) -> frozenset[str]:
    """Return the paths of fields that a JSON text names twice: `spec.containers[0].name`.

    Of a text that is no JSON, or nested too deeply, nothing is said.
    """
    found: list[_Twice] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        odd = _Twice(plain)
        counts = Counter(key for key, _ in pairs)
        odd.twice = frozenset(key for key, count in counts.items() if count > 1)
        found.append(odd)
        return odd

    try:
        value = json.loads(text, object_pairs_hook=keep)
        return frozenset(_duplicates(value, None)) if found else frozenset()
    except (ValueError, RecursionError):
        return frozenset()


def _duplicates(value: Any, path: Path) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value, _Twice):
            yield from (strict_path((path, None, key)) for key in value.twice)
        for key, item in value.items():
            yield from _duplicates(item, (path, None, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _duplicates(item, (path, None, i))
