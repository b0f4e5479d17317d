"""JSON values compared as Go compares them, and written as Go prints them."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Any, Final

JsonObject = dict[str, Any]

PLAIN_EXPONENTS: Final = range(-4, 6)  # outside, Go writes a float with an exponent


def identity(value: Any) -> Hashable:
    """Return what two JSON values share if they are the same; 1, 1.0 and true all differ."""
    match value:
        case str():
            return value
        case dict():
            return frozenset((key, identity(item)) for key, item in value.items())
        case list():
            return tuple(map(identity, value)), list
        case _:
            return value, type(value)


def same(left: Any, right: Any) -> bool:
    """Compare two JSON values; unlike Python's `==`, 1, 1.0 and true all differ."""
    return identity(left) == identity(right)


def without_nulls(value: Any) -> Any:
    """Return a value without the null fields of objects at any depth; nulls in lists stay."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def go_text(value: Any) -> str:
    """Write a JSON value as Go's `%v`: `map[a:1 b:[x <nil>]]`."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case dict():
            return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
        case list():
            return f"[{' '.join(map(go_text, value))}]"
        case float():
            return _go_float(value)
        case _:
            return str(value)


def _go_float(value: float) -> str:
    digits = Decimal(repr(value)).normalize()
    exponent = digits.adjusted()
    if not digits or exponent in PLAIN_EXPONENTS:
        return f"{digits:f}"
    return f"{digits.scaleb(-exponent):f}e{exponent:+03d}"
