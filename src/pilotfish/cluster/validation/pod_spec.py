"""Validation of pod specs, of pods and of the templates of workloads.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go. differs: what nothing in this
    cluster acts on (security contexts, Windows) is not checked beyond its shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.amounts import pod_level_errors, requirement_errors
from pilotfish.cluster.validation.containers import (
    Surroundings,
    container_errors,
    init_container_errors,
)
from pilotfish.cluster.validation.host_names import dns_errors, host_alias_errors
from pilotfish.cluster.validation.metadata import label_errors
from pilotfish.cluster.validation.names import dns_label, dns_subdomain, qualified_name
from pilotfish.cluster.validation.placement import (
    affinity_errors,
    gate_errors,
    spread_errors,
    toleration_errors,
)
from pilotfish.cluster.validation.volumes import volume_errors

MAX_INT32: Final = 2**31 - 1
CHOICES: Final = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
}


def pod_spec_errors(spec: JsonObject, path: str, *, is_pod: bool) -> Iterator[FieldError]:
    """Give what is wrong with a pod's spec, or that of a template."""
    of_volumes, sound_volumes = volume_errors(spec.get("volumes"), f"{path}.volumes")
    around = Surroundings(spec, sound_volumes)
    regular, init = spec.get("containers"), spec.get("initContainers")
    yield from of_volumes
    yield from _claim_errors(spec.get("resourceClaims"), f"{path}.resourceClaims")
    yield from container_errors(regular, around, f"{path}.containers")
    yield from init_container_errors(init, regular, around, f"{path}.initContainers")
    yield from pod_level_errors(spec, f"{path}.resources")
    if spec.get("hostNetwork"):
        yield from _host_network_errors(regular, f"{path}.containers", is_pod=is_pod)
    for field, supported in CHOICES.items():
        if (value := spec.get(field, "")) not in supported:
            yield field_not_supported(f"{path}.{field}", value, supported)
    yield from label_errors(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from affinity_errors(spec.get("affinity"), f"{path}.affinity")
    yield from dns_errors(spec, f"{path}.dnsConfig")
    for i, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType", "")
        for problem in qualified_name(kind):
            yield field_invalid(f"{path}.readinessGates[{i}].conditionType", kind, problem)
    yield from gate_errors(spec.get("schedulingGates"), f"{path}.schedulingGates")
    constraints = spec.get("topologySpreadConstraints")
    yield from spread_errors(constraints, f"{path}.topologySpreadConstraints")
    yield from _name_errors(spec, path)
    yield from toleration_errors(spec.get("tolerations"), f"{path}.tolerations")
    yield from host_alias_errors(spec.get("hostAliases"), f"{path}.hostAliases")
    yield from _policy_errors(spec, path)
    if is_pod:
        yield from _image_errors(regular, f"{path}.containers")
        yield from _image_errors(init, f"{path}.initContainers")


def _image_errors(containers: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    for i, container in enumerate(containers or ()):
        image = container.get("image", "")
        if image.strip() != image:
            detail = "must not have leading or trailing whitespace"
            yield field_invalid(f"{path}[{i}].image", image, detail)


def _name_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    for field, rule in (
        ("serviceAccountName", dns_subdomain),
        ("nodeName", dns_subdomain),
        ("hostname", dns_label),
        ("subdomain", dns_label),
        ("priorityClassName", dns_subdomain),
        ("runtimeClassName", dns_subdomain),
    ):
        name = spec.get(field)
        for problem in rule(name) if name else ():
            yield field_invalid(f"{path}.{field}", name, problem)


def _policy_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        detail = f"must be between 1 and {MAX_INT32}, inclusive"
        yield field_invalid(f"{path}.activeDeadlineSeconds", deadline, detail)
    policy, supported = spec.get("preemptionPolicy"), ("PreemptLowerPriority", "Never")
    if policy is not None and policy not in supported:
        yield field_not_supported(f"{path}.preemptionPolicy", policy, supported)
    if overhead := spec.get("overhead"):
        yield from requirement_errors({"limits": overhead}, f"{path}.overhead")


def _host_network_errors(
    containers: list[JsonObject] | None, path: str, *, is_pod: bool
) -> Iterator[FieldError]:
    for i, container in enumerate(containers or ()):
        for j, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort", 0)
            if (is_pod or host) and host != port.get("containerPort", 0):
                detail = "must match `containerPort` when `hostNetwork` is true"
                yield field_invalid(f"{path}[{i}].ports[{j}].hostPort", host, detail)


def _claim_errors(claims: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    names = set()
    for i, claim in enumerate(claims or ()):
        at, name = f"{path}[{i}]", claim.get("name", "")
        if not name:
            yield field_required(f"{at}.name")
        elif name in names:
            yield field_duplicate(f"{at}.name", name)
        for problem in dns_label(name) if name else ():
            yield field_invalid(f"{at}.name", name, problem)
        names.add(name)
        sources = [claim.get(f) for f in ("resourceClaimName", "resourceClaimTemplateName")]
        if sources.count(None) != 1:
            both = None not in sources
            detail = (
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
                if both
                else "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            )
            shown = {
                "Name": name,
                "ResourceClaimName": sources[0],
                "ResourceClaimTemplateName": sources[1],
            }
            yield field_invalid(at, shown, detail)
        for field in ("resourceClaimName", "resourceClaimTemplateName"):
            for problem in dns_subdomain(claim[field]) if field in claim else ():
                yield field_invalid(f"{at}.{field}", claim[field], problem)
