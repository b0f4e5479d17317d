"""Pods.

Source: kubernetes v1.36 pkg/registry/core/pod/strategy.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
)
from pilotfish.cluster.kubelet.annotations import pod_annotation_warnings
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import containers_of
from pilotfish.cluster.strategies.pod_conditions import set_pod_condition
from pilotfish.cluster.strategies.pod_update import pod_update_errors
from pilotfish.cluster.strategies.quality_of_service import quality_of_service
from pilotfish.cluster.strategies.strategy import Strategy, copy_field
from pilotfish.cluster.validation.metadata import IMMUTABLE
from pilotfish.cluster.validation.names import dns_label, dns_subdomain, qualified_name
from pilotfish.cluster.validation.placement import PREFERRED, REQUIRED
from pilotfish.cluster.validation.pod_addresses import address_errors, set_pod_addresses
from pilotfish.cluster.validation.pod_spec import pod_spec_errors
from pilotfish.cluster.validation.pod_warnings import pod_warnings

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
MIRROR_POD: Final = "kubernetes.io/config.mirror"
SYSTEM_CONDITIONS: Final = ("PodScheduled", "Ready", "Initialized")
NO_GENERATION: Final = "must be a non-negative integer"
GATED: Final[JsonObject] = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


class PodStrategy(Strategy):
    """The rules of pods."""

    has_generation = True
    returns_deleted_object = True

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Set the first status, and merge label keys into selectors."""
        spec, metadata = obj["spec"], obj["metadata"]
        metadata["generation"] = 1
        obj["status"] = {"phase": "Pending", "qosClass": quality_of_service(spec)}
        if spec.get("schedulingGates"):
            set_pod_condition(obj, GATED, now)
        _drop_disabled(spec)
        _set_grace_period(spec)
        _merge_label_keys(spec, metadata.get("labels") or {})

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a new pod."""
        spec = obj["spec"]
        annotations = obj["metadata"].get("annotations") or {}
        mirror, cost = annotations.get(MIRROR_POD), annotations.get(DELETION_COST, "0")
        if mirror is not None and not spec.get("nodeName"):
            detail = "must set spec.nodeName if mirror pod annotation is set"
            yield field_invalid(f"metadata.annotations[{MIRROR_POD}]", mirror, detail)
        is_number = re.fullmatch("0|-?[1-9][0-9]{0,9}", cost) is not None
        if not is_number or not -(2**31) <= int(cost) < 2**31:
            path = f"metadata.annotations[{DELETION_COST}]"
            yield field_invalid(path, cost, "must be a 32bit integer")
        yield from pod_spec_errors(spec, "spec", is_pod=True)
        if spec.get("ephemeralContainers"):
            yield field_forbidden("spec.ephemeralContainers", "cannot be set on create")
        if spec.get("nodeName") and spec.get("schedulingGates"):
            detail = "cannot be set until all schedulingGates have been cleared"
            yield field_forbidden("spec.nodeName", detail)

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Keep the status."""
        _set_grace_period(new["spec"])
        super().prepare_for_update(new, old, now)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what may not change so in a pod; of its spec that is nearly everything."""
        if new["spec"] != old["spec"]:
            yield from pod_spec_errors(new["spec"], "spec", is_pod=True)
            yield from pod_update_errors(new["spec"], old["spec"])

    def prepare_for_status_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Keep the spec; the class of service and what was observed stay when they are left out."""
        super().prepare_for_status_update(new, old, now)
        status, known = new.setdefault("status", {}), old["status"]
        set_pod_addresses(status)
        for field in ("qosClass", "observedGeneration"):
            if not status.get(field):
                copy_field(field, known, status)
        observed = {
            condition["type"]: condition.get("observedGeneration")
            for condition in reversed(known.get("conditions") or ())
        }
        for condition in status.get("conditions") or ():
            generation = observed.get(condition.get("type"))
            if generation and not condition.get("observedGeneration"):
                condition["observedGeneration"] = generation

    def validate_status_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a new status."""
        status, known = new["status"], old["status"]
        for i, condition in enumerate(status.get("conditions") or ()):
            kind = condition.get("type", "")
            for problem in qualified_name(kind) if kind not in SYSTEM_CONDITIONS else ():
                yield field_invalid(f"status.conditions[{i}].Type", kind, problem)
            if (generation := condition.get("observedGeneration", 0)) < 0:
                path = f"status.conditions[{i}].observedGeneration"
                yield field_invalid(path, generation, NO_GENERATION)
        nominated, field = status.get("nominatedNodeName"), "status.nominatedNodeName"
        if nominated and nominated != known.get("nominatedNodeName"):
            for problem in dns_subdomain(nominated):
                yield field_invalid(field, nominated, problem)
            if old["spec"].get("nodeName"):
                detail = "may not be set on pods that are already bound to a node"
                yield field_forbidden(field, detail)
        if status.get("qosClass") != known.get("qosClass"):
            yield field_invalid("status.qosClass", status.get("qosClass", ""), IMMUTABLE)
        if (generation := status.get("observedGeneration", 0)) < 0:
            yield field_invalid("status.observedGeneration", generation, NO_GENERATION)
        yield from address_errors(status, known)
        claims = [claim["name"] for claim in old["spec"].get("resourceClaims") or ()]
        for i, claim in enumerate(status.get("resourceClaimStatuses") or ()):
            if claim["name"] not in claims:
                detail = "must match the name of an entry in `spec.resourceClaims`"
                path = f"status.resourceClaimStatuses[{i}].name"
                yield field_invalid(path, claim["name"], detail)

    def warnings(self, obj: JsonObject) -> Iterator[str]:
        """Yield what the client should be told about a new pod."""
        if problems := dns_label(obj["metadata"]["name"]):
            yield (
                "metadata.name: this is used in the Pod's hostname, which can result in surprising "
                f"behavior; a DNS label is recommended: [{' '.join(problems)}]"
            )
        yield from pod_warnings(obj["spec"], "spec")
        yield from pod_annotation_warnings(obj)

    def update_warnings(self, new: JsonObject, old: JsonObject) -> Iterator[str]:
        """Yield what the simulated kubelet will pass over."""
        yield from pod_annotation_warnings(new, old)

    def grace_period_seconds(self, obj: JsonObject, asked: int | None) -> int | None:
        """Give how long the kubelet may take; nothing where no kubelet has the pod any more."""
        period = obj["spec"].get("terminationGracePeriodSeconds", 0) if asked is None else asked
        is_over = obj["status"].get("phase") in ("Succeeded", "Failed")
        if is_over or not obj["spec"].get("nodeName"):
            return 0
        return 1 if period < 0 else int(period)


def _drop_disabled(spec: JsonObject) -> None:
    """Drop what upstream drops while its features GenericWorkload and ContainerStopSignals are off.

    Source: kubernetes v1.36 pkg/api/pod/util.go.
    """
    spec.pop("schedulingGroup", None)
    for container in containers_of(spec):
        lifecycle = container.get("lifecycle") or {}
        if lifecycle.pop("stopSignal", None) and not lifecycle:
            del container["lifecycle"]


def _set_grace_period(spec: JsonObject) -> None:
    """Take a negative grace period for the shortest one."""
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1


def _merge_label_keys(spec: JsonObject, labels: dict[str, str]) -> None:
    """Add what matchLabelKeys and mismatchLabelKeys stand for to the selectors they go with."""
    affinity = spec.get("affinity") or {}
    terms: list[dict[str, Any]] = list(spec.get("topologySpreadConstraints") or ())
    for kind in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(kind) or {}
        terms += found.get(REQUIRED) or ()
        terms += [term.get("podAffinityTerm") or {} for term in found.get(PREFERRED) or ()]
    for term in terms:
        selector = term.get("labelSelector")
        added = [
            {"key": key, "operator": operator, "values": [labels[key]]}
            for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
            for key in term.get(field) or ()
            if key in labels
        ]
        if selector is not None and added:
            selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), *added]
