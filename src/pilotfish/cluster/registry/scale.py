"""The subresource `scale`: replicas of any workload, seen alike.

Source: kubernetes v1.36 pkg/registry/apps/deployment/storage/storage.go and its siblings.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pilotfish.cluster.errors import GroupKind, invalid, not_found
from pilotfish.cluster.field_errors import field_invalid
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.registry.decode import decode_as, patch_object
from pilotfish.cluster.registry.preconditions import check_identity
from pilotfish.cluster.registry.registry import Registry
from pilotfish.cluster.registry.update import check_name, write
from pilotfish.cluster.requests import ApiAnswer, ApiRequest
from pilotfish.cluster.schema import Gvk

SCALE: Final = Gvk("autoscaling/v1", "Scale")
NEGATIVE: Final = "must be greater than or equal to 0"
_METADATA: Final = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def read_scale(registry: Registry, request: ApiRequest) -> ApiAnswer:
    """Give the scale of a workload.

    Raises:
        StatusError: There is no such workload.
    """
    return _answer(request, _find(registry, request).decode())


def write_scale(registry: Registry, request: ApiRequest, now: float) -> ApiAnswer:
    """Set the replicas of a workload by an update or patch of its scale.

    Raises:
        StatusError: It is refused.
    """
    stored = _find(registry, request)
    workload = stored.decode()
    if request.verb == "patch":
        scale = patch_object(registry, request, SCALE, _scale_of(request, workload))
    else:
        scale = decode_as(registry, request, SCALE)
    metadata = scale["metadata"] = scale.get("metadata") or {}
    check_name(request, scale)
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        error = field_invalid("spec.replicas", replicas, NEGATIVE)
        raise invalid(GroupKind("autoscaling", SCALE.kind), request.name, [error])
    check_identity(request.resource, stored, uid=metadata.get("uid"))
    workload["spec"]["replicas"] = replicas
    workload["metadata"]["resourceVersion"] = metadata.get("resourceVersion", "")
    whole = msgspec.structs.replace(request, subresource="")
    written = msgspec.json.decode(write(registry, whole, stored, workload, now).body)
    return _answer(request, written)


def _find(registry: Registry, request: ApiRequest) -> Stored:
    stored = registry.store.get(request.resource.storage, request.namespace, request.name)
    if stored is None:
        raise not_found(request.resource, request.name)
    return stored


def _answer(request: ApiRequest, workload: JsonObject) -> ApiAnswer:
    body = msgspec.json.encode(_scale_of(request, workload))
    return ApiAnswer(code=200, resource=request.resource, body=body)


def _scale_of(request: ApiRequest, workload: JsonObject) -> JsonObject:
    metadata, replicas = workload["metadata"], workload["spec"].get("replicas", 0)
    status: JsonObject = {"replicas": workload.get("status", {}).get("replicas", 0)}
    if selector := _selector_text(request, workload["spec"].get("selector") or {}):
        status["selector"] = selector
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {field: metadata[field] for field in _METADATA if field in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def _selector_text(request: ApiRequest, selector: JsonObject) -> str:
    """Write a selector as `kubectl -l` takes it, in the order that upstream gives it."""
    if request.resource.kind == "ReplicationController":
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    terms = [(key, f"{key}={value}") for key, value in selector.get("matchLabels", {}).items()]
    for requirement in selector.get("matchExpressions") or ():
        key, values = requirement["key"], ",".join(sorted(requirement.get("values") or ()))
        match requirement["operator"]:
            case "In" | "NotIn" as operator:
                terms.append((key, f"{key} {operator.lower()} ({values})"))
            case "Exists":
                terms.append((key, key))
            case _:
                terms.append((key, f"!{key}"))
    return ",".join(text for _, text in sorted(terms, key=lambda term: term[0]))
