"""Quantities against exact fractions."""

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pilotfish.api.quantity import MAX_INT64, MalformedQuantityError, Quantity

SUFFIXES = {
    **{s: Fraction(10) ** e for s, e in zip("num", (-9, -6, -3), strict=True)},
    **{s: Fraction(10) ** e for s, e in zip("kMGTPE", range(3, 21, 3), strict=True)},
    **{f"{s}i": Fraction(2) ** e for s, e in zip("KMGTPE", range(10, 70, 10), strict=True)},
    **{f"e{e}": Fraction(10) ** e for e in range(-15, 16)},
    "": Fraction(1),
}

numbers = st.from_regex(r"[+-]?([0-9]{1,25}\.?[0-9]{0,15}|\.[0-9]{1,15})", fullmatch=True)
numbers = numbers.filter(str.isascii)


def _exact(number: str, suffix: str) -> Fraction:
    amount = Fraction(number.rstrip(".")) * SUFFIXES[suffix]
    limit = Fraction(MAX_INT64) if suffix.endswith("i") else abs(amount)
    return max(-limit, min(amount, limit))


def _away_from_zero(amount: Fraction) -> int:
    return math.ceil(amount) if amount >= 0 else math.floor(amount)


@given(numbers, st.sampled_from(sorted(SUFFIXES)))
def test_quantity_is_the_exact_fraction_rounded_away_from_zero(number: str, suffix: str) -> None:
    quantity = Quantity.parse(number + suffix)
    nano = _away_from_zero(_exact(number, suffix) * 10**9)
    assert quantity.nano == nano
    for unit, reading in ((10**9, quantity.value()), (10**6, quantity.milli_value())):
        rounded = _away_from_zero(Fraction(nano, unit))
        assert reading == max(-MAX_INT64, min(rounded, MAX_INT64))


@given(st.text(alphabet="0123456789+-.eEnumkKMGTPi", max_size=8) | st.text(max_size=4))
def test_any_text_is_a_quantity_or_an_error(text: str) -> None:
    try:
        outcome = str(Quantity.parse(text))
    except MalformedQuantityError as error:
        outcome = str(error)
    assert outcome == text or f'"{text}" is malformed' in outcome
