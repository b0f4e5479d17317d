"""Bodies of requests: from bytes to what an ApiRequest holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pilotfish.apiserver.json_text import MalformedTextError, decode_json
from pilotfish.apiserver.media_types import JSON, YAML, body_type
from pilotfish.apiserver.protobuf import PROTOBUF, decode_protobuf
from pilotfish.apiserver.yaml_text import decode_yaml
from pilotfish.cluster.errors import StatusError, bad_request, too_large, unsupported_media_type
from pilotfish.cluster.patches import check_patch_type
from pilotfish.cluster.requests import JSON_PATCH, Verb
from pilotfish.cluster.schema import duplicate_fields

MAX_BODY_BYTES: Final = 3 * 1024 * 1024  # upstream's MaxRequestBodyBytes

LARGE_BYTES: Final = 64 * 1024  # what takes longer to decode than others should wait

_EXCERPT: Final = 30  # bytes of a malformed body that a complaint repeats


class Body(msgspec.Struct, frozen=True):
    """What a body says.

    Attributes:
        content: as ApiRequest holds it; of a delete its options.
        patch_type: of a patch.
        duplicates: the fields that it names twice.
    """

    content: Any
    patch_type: str = ""
    duplicates: frozenset[str] = frozenset()


def decode_body(verb: Verb, content_type: str, text: bytes, kind: str) -> Body:
    """Decode the body of a request that writes.

    Args:
        verb: what is done with it.
        content_type: the header.
        text: its bytes.
        kind: of the object that a create or update brings, for the complaint.

    Raises:
        StatusError: 415 or 400.
    """
    match verb:
        case "patch":
            patch_type, patch = decode_patch(content_type, text)
            return Body(patch, patch_type, duplicate_fields(text))
        case "delete" | "deletecollection":
            return Body(decode_options(content_type, text))
    return Body(decode_object(content_type, text, kind), duplicates=duplicate_fields(text))


def decode_object(content_type: str, body: bytes, kind: str) -> dict[str, Any]:
    """Decode the object of a create or update.

    Args:
        content_type: the header.
        body: its bytes.
        kind: of the resource, for the complaint.

    Raises:
        StatusError: 415 or 400.
    """
    try:
        obj = _decode(content_type, body)
    except MalformedTextError as error:
        problem = str(error)
    else:
        if isinstance(obj, dict):
            return obj
        problem = f"json: cannot unmarshal {_json_type(obj)} into Go value of type {kind}"
    if body_type(content_type) == JSON:
        problem = f"couldn't get version/kind; json parse error: {problem}"
    raise bad_request(
        f"the object provided is unrecognized (must be of type {kind}): "
        f"{problem} ({_excerpt(body)})"
    )


def decode_options(content_type: str, body: bytes) -> Mapping[str, Any]:
    """Decode the DeleteOptions of a delete; empty without a body.

    Raises:
        StatusError: 415 or 400.
    """
    if not body:
        return {}
    try:
        obj = _decode(content_type, body)
    except MalformedTextError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from None
    if not isinstance(obj, dict):
        raise bad_request(f"json: cannot unmarshal {_json_type(obj)} into DeleteOptions")
    return obj


def decode_patch(content_type: str, body: bytes) -> tuple[str, Any]:
    """Return the type of a patch and the patch.

    Raises:
        StatusError: 415 or 400.
    """
    patch_type = content_type.partition(";")[0].strip().lower()
    check_patch_type(patch_type)
    try:
        patch = decode_json(body)
    except MalformedTextError as error:
        raise bad_request(f"error decoding patch: {error}") from None
    wanted = list if patch_type == JSON_PATCH else dict
    if not isinstance(patch, wanted):
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {_json_type(patch)} into Go value of "
            f"type {'[]handlers.jsonPatchOp' if wanted is list else 'map[string]interface {}'}"
        )
    return patch_type, patch


def body_too_large() -> StatusError:
    """Make the refusal of a body over the limit."""
    return too_large(f"limit is {MAX_BODY_BYTES}")


def _decode(content_type: str, body: bytes) -> Any:
    match body_type(content_type):
        case "application/json":
            return decode_json(body)
        case "application/yaml":
            documents = decode_yaml(body)
            if len(documents) > 1:
                raise MalformedTextError("one document was expected, not several")
            return documents[0] if documents else None
        case "application/vnd.kubernetes.protobuf":
            return decode_protobuf(body)
    raise unsupported_media_type((JSON, YAML, PROTOBUF))


def _json_type(obj: Any) -> str:
    match obj:
        case None:
            return "null"
        case bool():
            return "bool"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
    return "number"


def _excerpt(body: bytes) -> str:
    if not body:
        return "<empty>"
    text = body[:_EXCERPT].decode(errors="replace")
    return text + " ..." if len(body) > _EXCERPT else text
