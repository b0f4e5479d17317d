"""Binding pods to nodes: the subresource `binding` and the legacy resource `bindings`.

Source: kubernetes v1.36 pkg/registry/core/pod/storage/storage.go. differs: a bad target is 422,
    where upstream answers 500, which clients take for a reason to try again.
"""

from __future__ import annotations

from typing import Any, Final

from pilotfish.cluster.admission.nodes import topology_labels
from pilotfish.cluster.errors import (
    GroupKind,
    GroupResource,
    bad_request,
    conflict,
    invalid,
    not_found,
)
from pilotfish.cluster.field_errors import FieldError, field_not_supported, field_required
from pilotfish.cluster.kinds import PODS
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.registry.answers import CREATED, success
from pilotfish.cluster.registry.create import ensure_namespace
from pilotfish.cluster.registry.decode import decode_as
from pilotfish.cluster.registry.preconditions import check_identity
from pilotfish.cluster.registry.registry import Registry
from pilotfish.cluster.requests import ApiAnswer, ApiRequest
from pilotfish.cluster.schema import Gvk
from pilotfish.cluster.strategies.pod_conditions import set_pod_condition

BINDING: Final = Gvk("v1", "Binding")
PODS_BINDING: Final = GroupResource("", "pods/binding")


def bind(registry: Registry, request: ApiRequest, now: float) -> ApiAnswer:
    """Assign a pod to a node; that the node exists is not looked at.

    Raises:
        StatusError: 400, 422: no good binding; 404: no such pod; 409: it cannot be bound, or not
            any more, or is not the pod that is meant.
    """
    binding = decode_as(registry, request, BINDING)
    metadata, target = binding.setdefault("metadata", {}), binding.get("target") or {}
    ensure_namespace(request, binding)
    name = metadata.get("name", "")
    if not name and not request.subresource:
        raise bad_request("Name parameter required.")
    if request.subresource and name != request.name:
        raise bad_request("name in URL does not match name in Binding object")
    if errors := _target_errors(target):
        raise invalid(GroupKind("", BINDING.kind), name, errors)
    stored = registry.store.get(PODS.storage, request.namespace, name)
    if stored is None:
        raise not_found(PODS, name)
    if not request.subresource:  # creating a whole object, upstream drops its identity first
        metadata.pop("uid", None)
    uid, version = metadata.get("uid"), metadata.get("resourceVersion")
    check_identity(PODS, stored, uid=uid, resource_version=version)
    pod = stored.decode()
    if why := _refusal(pod):
        raise conflict(PODS_BINDING, name, f"pod {name} {why}")
    _assign(pod, target["name"], metadata, now)
    if target.get("kind") == "Node" and (labels := topology_labels(registry.store, target["name"])):
        pod["metadata"]["labels"] = pod["metadata"].get("labels", {}) | labels
    if not request.options.dry_run:
        registry.store.put(PODS.storage, pod)
    return success(PODS, CREATED, about=False)


def _target_errors(target: JsonObject) -> list[FieldError]:
    errors = []
    if (kind := target.get("kind")) not in (None, "", "Node"):
        errors.append(field_not_supported("target.kind", kind, ("Node", "<empty>")))
    if not target.get("name"):
        errors.append(field_required("target.name"))
    return errors


def _refusal(pod: JsonObject) -> str:
    """Say why a pod cannot be bound; empty where it can."""
    if "deletionTimestamp" in pod["metadata"]:
        return "is being deleted, cannot be assigned to a host"
    if node := pod["spec"].get("nodeName"):
        return f'is already assigned to node "{node}"'
    if pod["spec"].get("schedulingGates"):
        return "has non-empty .spec.schedulingGates"
    return ""


def _assign(pod: JsonObject, node: str, metadata: dict[str, Any], now: float) -> None:
    pod["spec"]["nodeName"] = node
    pod["status"].pop("nominatedNodeName", None)
    for field in ("labels", "annotations"):
        if added := metadata.get(field):
            pod["metadata"][field] = {**pod["metadata"].get(field, {}), **added}
    set_pod_condition(pod, {"type": "PodScheduled", "status": "True"}, now)
