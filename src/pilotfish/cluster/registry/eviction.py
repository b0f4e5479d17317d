"""Evicting pods as far as their disruption budget allows.

Source: kubernetes v1.36 pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.conditions import find_condition, is_true
from pilotfish.cluster.errors import (
    Cause,
    GroupResource,
    StatusError,
    bad_request,
    forbidden,
    not_found,
    too_many_requests,
)
from pilotfish.cluster.objects import JsonObject, Stored
from pilotfish.cluster.registry.answers import CREATED, success
from pilotfish.cluster.registry.create import ensure_namespace
from pilotfish.cluster.registry.decode import decode_as
from pilotfish.cluster.registry.delete import delete_stored
from pilotfish.cluster.registry.preconditions import check_preconditions
from pilotfish.cluster.registry.registry import Registry
from pilotfish.cluster.requests import ApiAnswer, ApiRequest, Options
from pilotfish.cluster.schema import Gvk
from pilotfish.cluster.strategies.pod_conditions import set_pod_condition
from pilotfish.cluster.timestamps import timestamp

EVICTION: Final = Gvk("policy/v1", "Eviction")
BUDGETS: Final = "poddisruptionbudgets.policy"
DISRUPTION_ALLOWED: Final = "DisruptionAllowed"
MAX_DISRUPTED_PODS: Final = 2000
REFUSED: Final = "Cannot evict pod as it would violate the pod's disruption budget."


def evict(registry: Registry, request: ApiRequest, now: float) -> ApiAnswer:
    """Delete a pod, unless its disruption budget forbids it.

    Raises:
        StatusError: 429: the budget forbids it; 404, 400.
    """
    eviction = decode_as(registry, request, EVICTION)
    metadata = eviction.setdefault("metadata", {})
    ensure_namespace(request, eviction)
    if metadata.get("name") != request.name:
        raise bad_request("name in URL does not match name in Eviction object")
    request = msgspec.structs.replace(
        request, options=_options(eviction.get("deleteOptions") or {}, request.options)
    )
    stored = registry.store.get(request.resource.storage, request.namespace, request.name)
    if stored is None:
        raise not_found(request.resource, request.name)
    pod = stored.decode()
    if not _needs_no_budget(pod):
        _take_from_budget(registry, request, pod, now)
    check_preconditions(request.resource, request.options, stored)
    _delete(registry, request, stored, pod, now)
    return success(request.resource, CREATED, about=False)


def _options(wanted: JsonObject, given: Options) -> Options:
    preconditions = wanted.get("preconditions") or {}
    return Options(
        dry_run=given.dry_run or bool(wanted.get("dryRun")),
        grace_period_seconds=wanted.get("gracePeriodSeconds"),
        propagation_policy=wanted.get("propagationPolicy"),
        orphan_dependents=wanted.get("orphanDependents"),
        precondition_uid=preconditions.get("uid"),
        precondition_resource_version=preconditions.get("resourceVersion"),
    )


def _needs_no_budget(pod: JsonObject) -> bool:
    return (
        pod["status"].get("phase") in ("Succeeded", "Failed", "Pending")
        or "deletionTimestamp" in pod["metadata"]
    )


def _take_from_budget(registry: Registry, request: ApiRequest, pod: JsonObject, now: float) -> None:
    budgets = [
        budget
        for stored in registry.store.list(BUDGETS, request.namespace).items
        if _covers(budget := stored.decode(), pod)
    ]
    if len(budgets) > 1:
        raise StatusError(
            500,
            "",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource "
            "does not support.",
        )
    for budget in budgets:
        if _may_go_unready(budget, pod):
            continue
        _check(budget)
        status = budget["status"]
        status["disruptionsAllowed"] -= 1
        if status["disruptionsAllowed"] == 0:
            _disallow(budget, now)
        if not request.options.dry_run:
            status.setdefault("disruptedPods", {})[request.name] = timestamp(now)
            registry.store.put(BUDGETS, budget)


def _covers(budget: JsonObject, pod: JsonObject) -> bool:
    """Say whether a budget is for a pod: an empty selector is for all, none for no pod."""
    selector = budget["spec"].get("selector")
    if selector is None:
        return False
    labels = pod["metadata"].get("labels") or {}
    return msgspec.convert(selector, LabelSelector).matches(labels)


def _may_go_unready(budget: JsonObject, pod: JsonObject) -> bool:
    """Say whether a pod that is not ready may go without counting as a disruption."""
    if is_true(pod["status"], "Ready"):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget["status"]
    desired = status.get("desiredHealthy", 0)
    return bool(0 < desired <= status.get("currentHealthy", 0))


def _check(budget: JsonObject) -> None:
    """See that a budget allows one more disruption.

    Raises:
        StatusError: 429, or 403 for a budget in disorder.
    """
    name, status = budget["metadata"]["name"], budget["status"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        why = f"The disruption budget {name} is still being processed by the server."
        raise _refused(why, retry_after_seconds=10)
    budgets = GroupResource("policy", "poddisruptionbudget")
    if status.get("disruptionsAllowed", 0) < 0:
        raise forbidden(budgets, name, "pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or ()) > MAX_DISRUPTED_PODS:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden(budgets, name, why)
    if status.get("disruptionsAllowed", 0) == 0:
        raise _refused(_why_none(name, status))


def _why_none(name: str, status: dict[str, Any]) -> str:
    known = find_condition(status, DISRUPTION_ALLOWED) or {}
    message = known.get("message") if known.get("status") == "False" else ""
    needed, there = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    refusal = f"The disruption budget {name} does not allow evicting pods currently"
    if message and known.get("reason") == "SyncFailed":
        return f"{refusal} because it failed sync: {message}"
    if there <= needed:
        return f"The disruption budget {name} needs {needed} healthy pods and has {there} currently"
    if message:
        return f"{refusal} ({known.get('reason', '')}): {message}"
    return refusal


def _refused(why: str, *, retry_after_seconds: int = 0) -> StatusError:
    cause = Cause("DisruptionBudget", why)
    return too_many_requests(REFUSED, retry_after_seconds=retry_after_seconds, causes=(cause,))


def _disallow(budget: JsonObject, now: float) -> None:
    condition = find_condition(budget["status"], DISRUPTION_ALLOWED)
    if condition is not None:
        if condition.get("status") != "False":
            condition["lastTransitionTime"] = timestamp(now)
        condition["status"], condition["reason"] = "False", "InsufficientPods"
        condition["observedGeneration"] = budget["status"].get("observedGeneration", 0)


def _delete(
    registry: Registry, request: ApiRequest, stored: Stored, pod: JsonObject, now: float
) -> None:
    if not request.options.dry_run:
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        }
        set_pod_condition(pod, condition, now)
        stored = registry.store.put(request.resource.storage, pod)
    # the precondition on the resourceVersion held before our own write
    options = msgspec.structs.replace(request.options, precondition_resource_version=None)
    delete_stored(registry, msgspec.structs.replace(request, options=options), stored, now)
