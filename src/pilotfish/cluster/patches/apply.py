"""A patch request as upstream handles it: apply the patch, read the result as its kind.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import msgspec

from pilotfish.cluster.errors import (
    Details,
    GroupKind,
    StatusError,
    bad_request,
    invalid,
    quote,
    too_large,
)
from pilotfish.cluster.field_errors import field_invalid
from pilotfish.cluster.patches.errors import InapplicablePatchError, MalformedPatchError
from pilotfish.cluster.patches.json_patch import json_patch
from pilotfish.cluster.patches.merge_patch import merge_patch
from pilotfish.cluster.patches.strategic import strategic_merge_patch
from pilotfish.cluster.patches.values import JsonObject, go_text
from pilotfish.cluster.requests import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
)
from pilotfish.cluster.schema import FieldValidation, Kind, Schema
from pilotfish.cluster.schema.decoding import DecodeError, json_type_of

MAX_JSON_PATCH_OPERATIONS: Final = 10_000

_OPERATION_FIELDS: Final = ("op", "path", "from", "value")


def apply_patch(
    schema: Schema,
    kind: Kind,
    patch_type: str,
    obj: JsonObject,
    patch: Any,
    mode: FieldValidation = "Strict",
    duplicates: Collection[str] = (),
) -> tuple[JsonObject, tuple[str, ...]]:
    """Return what a patch makes of an object, in wire form, and warnings.

    Args:
        schema: the types.
        kind: the object's.
        patch_type: one of the three media types.
        obj: the object; it is left alone.
        patch: the decoded body.
        mode: what to do about unknown and duplicate fields.
        duplicates: paths that the body's text named twice, from `duplicate_fields`.

    Raises:
        StatusError: 400, 413, 415 or 422 as upstream has it.
    """
    check_patch_type(patch_type)
    strict = _check_patch(patch_type, patch, mode, duplicates)
    strategic = patch_type == STRATEGIC_MERGE_PATCH
    patched = _apply(schema, kind, patch_type, obj, patch)
    shown = go_text(patch) if strategic else msgspec.json.encode(patched).decode()
    try:
        if not strategic:
            schema.check_identity(kind, patched)
        decoded = schema.decode(kind, patched, converts=strategic)
    except DecodeError as error:
        raise _invalid_patch(shown, str(error)) from None
    strict += sorted(decoded.strict_errors) if strategic else decoded.strict_errors
    if strict and mode == "Strict":
        raise _invalid_patch(shown, f"strict decoding error: {', '.join(strict)}")
    return decoded.object, tuple(strict) if mode == "Warn" else ()


def check_patch_type(patch_type: str) -> None:
    """See that patches of a media type are served.

    Raises:
        StatusError: 415.
    """
    if patch_type in (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH):
        return
    message = "415: Unsupported Media Type"
    if patch_type.startswith("application/apply-patch"):
        message = (
            f"server-side apply ({APPLY_PATCH}) is not served by pilotfish: "
            "use plain `kubectl apply`, without --server-side"
        )
    raise StatusError(415, "UnsupportedMediaType", message)


def _check_patch(
    patch_type: str, patch: Any, mode: FieldValidation, duplicates: Collection[str]
) -> list[str]:
    """See that a patch has the shape of its type; return what is odd but can be applied."""
    prefix = "error decoding patch: " if patch_type != STRATEGIC_MERGE_PATCH else ""
    found = [f"duplicate field {quote(path)}" for path in sorted(duplicates)]
    if patch_type != JSON_PATCH:
        if patch is not None and not isinstance(patch, dict):
            raise bad_request(
                f"{prefix}json: cannot unmarshal {json_type_of(patch)} into Go value of type"
                " map[string]interface {}"
            )
        return found if mode != "Ignore" else []
    if not isinstance(patch, list):
        raise bad_request(
            f"{prefix}json: cannot unmarshal {json_type_of(patch)} into Go value of type"
            " []handlers.jsonPatchOp"
        )
    if len(patch) > MAX_JSON_PATCH_OPERATIONS:
        raise too_large(
            "The allowed maximum operations in a JSON patch is"
            f" {MAX_JSON_PATCH_OPERATIONS}, got {len(patch)}"
        )
    for i, step in enumerate(patch):
        found += _check_operation(i, step)
    return [f"json patch {odd}" for odd in found] if mode != "Ignore" else []


def _check_operation(place: int, step: Any) -> list[str]:
    if not isinstance(step, dict):
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {json_type_of(step)} into Go value of"
            " type handlers.jsonPatchOp"
        )
    for name in ("op", "path", "from"):
        value = step.get(name)
        if value is not None and not isinstance(value, str):
            raise bad_request(
                f"error decoding patch: json: cannot unmarshal {json_type_of(value)} into Go struct"
                f" field jsonPatchOp.{name} of type string"
            )
    return [
        f"unknown field {quote(f'[{place}].{name}')}"
        for name in step
        if name not in _OPERATION_FIELDS
    ]


def _apply(schema: Schema, kind: Kind, patch_type: str, obj: JsonObject, patch: Any) -> JsonObject:
    try:
        if patch_type == JSON_PATCH:
            return json_patch(obj, patch)
        if patch_type == MERGE_PATCH:
            return merge_patch(obj, patch)
        return strategic_merge_patch(obj, {} if patch is None else patch, schema.of(kind))
    except MalformedPatchError as error:
        raise bad_request(str(error)) from None
    except InapplicablePatchError:
        message = "the server rejected our request due to an error in our request"
        raise StatusError(422, "Invalid", message, Details()) from None


def _invalid_patch(shown: str, why: str) -> StatusError:
    return invalid(GroupKind("", ""), "", [field_invalid("patch", shown, why)])  # as upstream
