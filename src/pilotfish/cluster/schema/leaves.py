"""Quantities, times and base64: values that are more than their JSON type, made canonical."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from pilotfish.api.quantity import MalformedQuantityError, Quantity

MALFORMED_QUANTITY: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
BAD_SUFFIX: Final = "unable to parse quantity's suffix"
MILLI: Final = 10**6  # in units of 1n
LARGEST_EXPONENT: Final = 18  # E
SECONDS_LAYOUT: Final = "2006-01-02T15:04:05Z07:00"
MICROSECONDS_LAYOUT: Final = "2006-01-02T15:04:05.000000Z07:00"

_DECIMAL_SUFFIXES: Final = dict(
    zip(range(-9, 21, 3), ("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), strict=True)
)
_BINARY_SUFFIXES: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DATE: Final = (
    (r"\d{4}", "2006"), ("-", "-"), (r"\d\d", "01"), ("-", "-"), (r"\d\d", "02"), ("T", "T"),
    (r"\d\d?", "15"), (":", ":"), (r"\d\d", "04"), (":", ":"),
)  # fmt: skip
_ZONE: Final = (r"Z|[+-]\d\d:\d\d", "Z07:00")
_TIME_PARTS: Final = {
    layout: tuple((re.compile(pattern), shown) for pattern, shown in parts)
    for layout, parts in (
        (SECONDS_LAYOUT, (*_DATE, (r"\d\d", "05"), (r"(?:[.,]\d+)?", "05"), _ZONE)),
        (MICROSECONDS_LAYOUT, (*_DATE, (r"\d\d", "05"), (r"\.\d{6}", ".000000"), _ZONE)),
    )
}
_NUMBER_AND_SUFFIX: Final = re.compile(
    r"[+-]?(?=\.?\d)\d*(?:\.\d*)?[eEinumkKMGTP]*[-+]?\d*", re.ASCII
)
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")


class MalformedValueError(ValueError):
    """A text that its type does not allow; the message is upstream's."""


@lru_cache(maxsize=1 << 14)
def canonical_quantity(text: str) -> str:
    """Return a quantity as the API server writes it back: `1000m` is `1`, `1024Mi` is `1Gi`.

    Raises:
        MalformedValueError: it is no quantity.

    Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go.
    """
    text = text.strip()
    try:
        return written_quantity(Quantity.parse(text).nano, text)
    except MalformedQuantityError:
        has_suffix = _NUMBER_AND_SUFFIX.fullmatch(text) is not None
        raise MalformedValueError(BAD_SUFFIX if has_suffix else MALFORMED_QUANTITY) from None


@lru_cache(maxsize=1 << 14)
def milli_quantity(text: str) -> str:
    """Round a canonical quantity up to thousandths, which resource lists are kept in.

    Source: kubernetes v1.36 pkg/apis/core/v1/defaults.go SetDefaults_ResourceList.
    """
    nano = Quantity.parse(text).nano
    return text if nano % MILLI == 0 else written_quantity(-(-nano // MILLI) * MILLI, text)


def written_quantity(nano: int, like: str) -> str:
    """Write an amount, given in units of 1n, with the kind of suffix that another text has."""
    whole, fraction = divmod(nano, 10**9)
    if like.endswith("i") and abs(nano) >= 1024 * 10**9 and not fraction:
        power = 0
        while power + 1 < len(_BINARY_SUFFIXES) and whole % 1024 == 0:
            whole, power = whole // 1024, power + 1
        return f"{whole}{_BINARY_SUFFIXES[power]}"
    if not nano:
        return "0"
    exponent = -9
    while nano % 1000 == 0 and (exponent < LARGEST_EXPONENT or _has_exponent(like)):
        nano, exponent = nano // 1000, exponent + 3
    if _has_exponent(like):
        return f"{nano}e{exponent}" if exponent else str(nano)
    return f"{nano}{_DECIMAL_SUFFIXES[exponent]}"


def _has_exponent(text: str) -> bool:
    return text[-1].isdigit() and "e" in text.lower()


def canonical_time(text: str, layout: str = SECONDS_LAYOUT) -> str:
    """Return an RFC 3339 time in UTC, to the second or microsecond as the layout has it.

    Raises:
        MalformedValueError: it is no time.

    Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/{time,micro_time}.go.
    """
    year, month, day, hour, minute, second, fraction, zone = _time_parts(text, layout)
    try:
        moment = datetime.fromisoformat(
            f"{year}-{month}-{day}T{hour:0>2}:{minute}:{second}.{fraction[1:7]:0<6}{zone}"
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        # differs: upstream names the part that is out of range
        raise MalformedValueError(f'parsing time "{text}": day out of range') from None
    written = moment.replace(tzinfo=None)
    if layout == MICROSECONDS_LAYOUT:
        return f"{written.isoformat(timespec='microseconds')}Z"
    return f"{written.isoformat(timespec='seconds')}Z"


def _time_parts(text: str, layout: str) -> Iterator[str]:
    rest = text
    for pattern, wanted in _TIME_PARTS[layout]:
        if (match := pattern.match(rest)) is None:
            where = f'cannot parse "{rest}" as "{wanted}"'
            raise MalformedValueError(f'parsing time "{text}" as "{layout}": {where}')
        rest = rest[match.end() :]
        if wanted not in ("-", ":", "T"):
            yield match[0]
    if rest:
        raise MalformedValueError(f'parsing time "{text}": extra text: "{rest}"')


def canonical_base64(text: str) -> str:
    """Return base64 as it is written back: without the line breaks that are allowed in it.

    Raises:
        MalformedValueError: it is no base64.
    """
    packed = text.replace("\r", "").replace("\n", "")
    digits = packed.partition("=")[0]
    bad = _NOT_BASE64.search(digits)
    at = bad.start() if bad else _misplaced_padding(packed, len(digits))
    if at is not None:
        raise MalformedValueError(f"illegal base64 data at input byte {at}")
    return binascii.b2a_base64(binascii.a2b_base64(packed), newline=False).decode()


def _misplaced_padding(packed: str, digits: int) -> int | None:
    """Give where Go's decoder stumbles behind so many digits, or None."""
    over = digits % 4
    if len(packed) == digits:
        return digits - over if over else None
    end = digits + 4 - over
    if over in (0, 1) or packed[digits:end].strip("="):
        return digits
    if len(packed) == end:
        return None
    return min(len(packed), end)
