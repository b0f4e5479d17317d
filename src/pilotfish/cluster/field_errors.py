"""What is wrong with one field of an object: values to collect, worded as upstream words them.

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

MOST_ERRORS: Final = 1000
_WITHOUT_VALUE: Final = object()


class FieldError(msgspec.Struct, frozen=True):
    """One rule that a field breaks.

    Attributes:
        field: the path, such as `spec.containers[0].name`.
        reason: the word that clients tell these apart by, such as `FieldValueInvalid`.
        body: the sentence without the path.
    """

    field: str
    reason: str
    body: str

    @property
    def text(self) -> str:
        """The sentence with the path."""
        return f"{self.field}: {self.body}"


def field_invalid(field: str, value: Any, detail: str) -> FieldError:
    """Report a malformed value."""
    return FieldError(field, "FieldValueInvalid", _body("Invalid value", value, detail))


def field_wrong(field: str, detail: str) -> FieldError:
    """Report a malformed value that is not shown."""
    return FieldError(field, "FieldValueInvalid", _body("Invalid value", detail=detail))


def field_required(field: str, detail: str = "") -> FieldError:
    """Report the absence of a value that must be there."""
    return FieldError(field, "FieldValueRequired", _body("Required value", detail=detail))


def field_duplicate(field: str, value: Any) -> FieldError:
    """Report a second occurrence of what must be unique."""
    return FieldError(field, "FieldValueDuplicate", _body("Duplicate value", value))


def field_not_found(field: str, value: Any) -> FieldError:
    """Report a reference to what does not exist."""
    return FieldError(field, "FieldValueNotFound", _body("Not found", value))


def field_not_supported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    """Report a value that is none of those allowed."""
    names = ", ".join(_render(name) for name in supported)
    detail = f"supported values: {names}" if names else ""
    return FieldError(field, "FieldValueNotSupported", _body("Unsupported value", value, detail))


def one_of(supported: tuple[str, ...]) -> Callable[[str, str], Iterable[FieldError]]:
    """Make a rule for values, each given with its field, that must be one of those supported."""

    def errors(value: str, field: str) -> Iterable[FieldError]:
        return () if value in supported else (field_not_supported(field, value, supported),)

    return errors


def field_forbidden(field: str, detail: str) -> FieldError:
    """Report a value that may not be set, or changed, here and now."""
    return FieldError(field, "FieldValueForbidden", _body("Forbidden", detail=detail))


def field_too_long(field: str, limit: int, unit: str = "byte") -> FieldError:
    """Report a text over the limit; the unit is a byte or a character."""
    detail = f"may not be more than {limit} {unit}{'' if limit == 1 else 's'}"
    return FieldError(field, "FieldValueTooLong", _body("Too long", detail=detail))


def field_too_many(field: str, count: int, limit: int) -> FieldError:
    """Report a list over the limit."""
    detail = f"must have at most {limit} items"
    return FieldError(field, "FieldValueTooMany", _body("Too many", count, detail))


def first_errors(errors: Iterable[FieldError]) -> list[FieldError]:
    """Collect what is wrong with an object, so far as anyone would read.

    A body of 3 MB can be wrong 700,000 times. Source: as the module.
    differs: upstream collects all of it.
    """
    return list(islice(errors, MOST_ERRORS))


def aggregate(errors: Sequence[FieldError]) -> str:
    """Join the sentences; the same one counts once."""
    texts = list(dict.fromkeys(error.text for error in errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _body(what: str, value: Any = _WITHOUT_VALUE, detail: str = "") -> str:
    parts = [what]
    if value is not _WITHOUT_VALUE:
        parts.append(_render(value))
    if detail:
        parts.append(detail)
    return ": ".join(parts)


def _render(value: Any) -> str:
    return msgspec.json.encode(value).decode()
