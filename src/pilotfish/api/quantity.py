"""Kubernetes quantities: exact amounts such as `100m`, `1.5Gi` or `12e6`."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal
from functools import lru_cache
from typing import Final, final

MAX_INT64: Final = 2**63 - 1

_NANO_DIGITS: Final = 9  # the finest amount is 1n
_SATURATED_DIGITS: Final = 60  # decimal amounts of more digits, in nano units, are all alike
_SATURATED: Final[int] = 10**60
_DECIMAL_EXPONENTS = {
    "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
}  # fmt: skip
_BINARY_SHIFTS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_PARTS = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(.*)", re.DOTALL)
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]{1,18})")


class MalformedQuantityError(ValueError):
    """A text that is no quantity."""


@final
class Quantity:
    """An exact amount of a resource; immutable, equal when the amounts are equal.

    `str()` gives the text it was read from.

    Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go.
    """

    __slots__ = ("_milli_value", "_nano", "_text", "_value")

    def __init__(self, nano: int, text: str) -> None:
        self._nano = nano
        self._text = text
        self._value = _round_away_from_zero(nano, 10**9)
        self._milli_value = _round_away_from_zero(nano, 10**6)

    @staticmethod
    @lru_cache(maxsize=1 << 15)
    def parse(text: str) -> Quantity:
        """Read a quantity.

        What is finer than 1n is rounded away from zero; binary amounts stop at the largest int64.

        Raises:
            MalformedQuantityError: The text is no quantity.

        Source: as the class. differs: texts without any digit ("m", ".", "-") are errors;
            upstream's scanner takes them for zero, against its own grammar.
        """
        match = _PARTS.fullmatch(text)
        if match is None:
            raise MalformedQuantityError(_malformed(text, "it starts with no number"))
        number, suffix = match.groups()
        if (shift := _BINARY_SHIFTS.get(suffix)) is not None:
            nano = _clamp(_to_nano(number, 0, 1 << shift), MAX_INT64 * 10**9)
        else:
            nano = _to_nano(number, _decimal_exponent(text, suffix), 1)
        return Quantity(nano, text)

    @property
    def nano(self) -> int:
        """The exact amount in units of 1n."""
        return self._nano

    def value(self) -> int:
        """Give whole units, fractions rounded away from zero, within int64.

        Source: as the class. differs: what int64 cannot hold is clamped to its bounds, where
            upstream gives 0 or wraps; negative fractions never round towards zero.
        """
        return self._value

    def milli_value(self) -> int:
        """Give thousandths, rounded and clamped as by `value`."""
        return self._milli_value

    def __eq__(self, other: object) -> bool:
        return self._nano == other._nano if isinstance(other, Quantity) else NotImplemented

    def __lt__(self, other: Quantity) -> bool:
        return self._nano < other._nano

    def __hash__(self) -> int:
        return hash(self._nano)

    def __bool__(self) -> bool:
        return self._nano != 0

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Quantity({self._text!r})"


def _decimal_exponent(text: str, suffix: str) -> int:
    if (exponent := _DECIMAL_EXPONENTS.get(suffix)) is not None:
        return exponent
    if (match := _EXPONENT.fullmatch(suffix)) is not None:
        return int(match[1])
    raise MalformedQuantityError(_malformed(text, f'unknown suffix "{suffix}"'))


def _to_nano(number: str, exponent: int, factor: int) -> int:
    """Give `number * 10**exponent * factor` in nano units, rounded away from zero.

    Huge exponents cost nothing: their result is known from its number of digits.
    """
    amount = Decimal(number)
    if not amount:
        return 0
    sign = -1 if amount.is_signed() else 1
    digits = amount.adjusted() + exponent + _NANO_DIGITS + 1
    if digits > _SATURATED_DIGITS:
        return sign * _SATURATED
    if factor == 1:
        if digits <= 0:
            return sign
        return int(Decimal(f"{number}e{exponent + _NANO_DIGITS}").to_integral_value(ROUND_UP))
    numerator, denominator = amount.as_integer_ratio()
    return sign * -(-abs(numerator) * factor * 10**_NANO_DIGITS // denominator)


def _round_away_from_zero(nano: int, unit: int) -> int:
    rounded = -(-abs(nano) // unit)
    return _clamp(rounded if nano >= 0 else -rounded, MAX_INT64)


def _clamp(amount: int, limit: int) -> int:
    return max(-limit, min(amount, limit))


def _malformed(text: str, why: str) -> str:
    return f'quantity "{text}" is malformed ({why})'
