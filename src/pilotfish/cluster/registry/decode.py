"""From the body of a request to an object in wire form, with defaults."""

from __future__ import annotations

from pilotfish.cluster.errors import bad_request
from pilotfish.cluster.events.versions import EVENTS_GROUP, to_core
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.patches import apply_patch, merge_patch
from pilotfish.cluster.registry.registry import Registry
from pilotfish.cluster.requests import (
    MERGE_PATCH,
    SYSTEM,
    ApiRequest,
)
from pilotfish.cluster.schema import Kind


def decode_body(registry: Registry, request: ApiRequest) -> JsonObject:
    """Give the object that a create or update brings, and note the warnings about it.

    Updates of the system itself start from what is at rest, so they have wire form already.

    Raises:
        StatusError: 400: the body is no object of the request's kind.
    """
    if request.user is SYSTEM and request.verb != "create":
        return complete(registry, request, {**request.body})
    return complete(registry, request, decode_as(registry, request, request.resource))


def decode_as(registry: Registry, request: ApiRequest, kind: Kind) -> JsonObject:
    """Give the body of a request as an object of a kind, and note the warnings about it.

    Raises:
        StatusError: 400: it is none.
    """
    if not isinstance(request.body, dict):
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind.kind}): "
            "couldn't get version/kind; json parse error: it is no JSON object"
        )
    mode = request.options.field_validation
    obj, warnings = registry.schema.check(kind, request.body, mode, request.duplicates)
    request.warnings.extend(warnings)
    return obj


def decode_patched(registry: Registry, request: ApiRequest, stored: Stored) -> JsonObject:
    """Give what a patch makes of an object, and note the warnings about it.

    Raises:
        StatusError: 400, 413, 422: the patch does not fit; 415: it is of a type that is not served.
    """
    if request.user is SYSTEM and request.patch_type == MERGE_PATCH:
        return complete(registry, request, merge_patch(stored.decode(), request.body))
    resource = request.resource
    obj = patch_object(registry, request, resource, stored.decode(resource))
    return complete(registry, request, obj)


def patch_object(
    registry: Registry, request: ApiRequest, kind: Kind, obj: JsonObject
) -> JsonObject:
    """Apply the body of a patch to an object of a kind, and note the warnings about it.

    Raises:
        StatusError: As `decode_patched`.
    """
    patched, warnings = apply_patch(
        registry.schema,
        kind,
        request.patch_type,
        obj,
        request.body,
        request.options.field_validation,
        request.duplicates,
    )
    request.warnings.extend(warnings)
    return patched


def complete(registry: Registry, request: ApiRequest, obj: JsonObject) -> JsonObject:
    """Give the form at rest: with defaults, without kind, apiVersion and what is not kept."""
    registry.schema.apply_defaults(request.resource, obj)
    if request.resource.group == EVENTS_GROUP:
        obj = to_core(obj | {"apiVersion": request.resource.api_version})
    obj.pop("kind", None)
    obj.pop("apiVersion", None)
    metadata = obj["metadata"] = dict(obj.get("metadata") or {})
    metadata.pop("managedFields", None)
    metadata.pop("selfLink", None)
    return obj
