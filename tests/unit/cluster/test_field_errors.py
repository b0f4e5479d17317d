"""Field errors are worded as upstream's, whose texts these expectations are."""

from __future__ import annotations

import pytest

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_found,
    field_not_supported,
    field_required,
    field_too_long,
)


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (
            field_invalid("metadata.name", "A_b", "must be lower case"),
            "FieldValueInvalid",
            'metadata.name: Invalid value: "A_b": must be lower case',
        ),
        (field_invalid("f", True, "no"), "FieldValueInvalid", "f: Invalid value: true: no"),
        (field_invalid("f", -3, "no"), "FieldValueInvalid", "f: Invalid value: -3: no"),
        (field_invalid("f", None, "no"), "FieldValueInvalid", "f: Invalid value: null: no"),
        (
            field_invalid("f", {"a": ["b"]}, "field is immutable"),
            "FieldValueInvalid",
            'f: Invalid value: {"a":["b"]}: field is immutable',
        ),
        (field_required("f"), "FieldValueRequired", "f: Required value"),
        (field_required("f", "say it"), "FieldValueRequired", "f: Required value: say it"),
        (
            field_duplicate("f[1].name", "a"),
            "FieldValueDuplicate",
            'f[1].name: Duplicate value: "a"',
        ),
        (field_not_found("f", "a"), "FieldValueNotFound", 'f: Not found: "a"'),
        (
            field_not_supported("f", "x", ["a", "b"]),
            "FieldValueNotSupported",
            'f: Unsupported value: "x": supported values: "a", "b"',
        ),
        (field_not_supported("f", "x", []), "FieldValueNotSupported", 'f: Unsupported value: "x"'),
        (field_forbidden("f", "not now"), "FieldValueForbidden", "f: Forbidden: not now"),
        (
            field_too_long("f", 63),
            "FieldValueTooLong",
            "f: Too long: may not be more than 63 bytes",
        ),
        (
            field_too_long("f", 1, "character"),
            "FieldValueTooLong",
            "f: Too long: may not be more than 1 character",
        ),
    ],
)
def test_a_field_error_is_worded_as_upstreams(error: FieldError, reason: str, text: str) -> None:
    assert (error.reason, error.text) == (reason, text)
