"""Validation of what is a count or a percentage.

Source: kubernetes v1.36 pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pilotfish.api.selectors import int64
from pilotfish.cluster.field_errors import FieldError, field_invalid
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE

_PERCENT: Final = re.compile("[0-9]+%")
_MAX_PERCENT: Final = 100


def count_errors(value: int | str, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a count, or a percentage of at most 100 %."""
    yield from amount_errors(value, path)
    if isinstance(value, str) and number_of(value) > _MAX_PERCENT:
        yield field_invalid(path, value, "must not be greater than 100%")


def amount_errors(value: int | str, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a count, or a percentage of any size."""
    if isinstance(value, str):
        if _PERCENT.fullmatch(value) is None:
            detail = (
                "a valid percent string must be a numeric string followed by an ending '%' "
                "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
            )
            yield field_invalid(path, value, detail)
    elif value < 0:
        yield field_invalid(path, value, NOT_NEGATIVE)


def number_of(value: int | str) -> int:
    """Give the number itself, of a percentage without its sign, of none and huge ones 0."""
    if isinstance(value, int):
        return value
    return (int64(value[:-1]) or 0) if _PERCENT.fullmatch(value) else 0
