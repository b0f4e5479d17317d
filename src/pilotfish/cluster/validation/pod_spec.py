"""Validation of pod specs, of pods and of the templates of workloads.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go. differs: groups of pods, signals
    that stop containers and annotations of old are not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_invalid,
    field_required,
    one_of,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import each_container
from pilotfish.cluster.validation.amounts import pod_level_errors, requirement_errors
from pilotfish.cluster.validation.containers import (
    Surroundings,
    container_errors,
    init_container_errors,
)
from pilotfish.cluster.validation.host_names import (
    dns_errors,
    host_alias_errors,
    hostname_override_errors,
)
from pilotfish.cluster.validation.metadata import label_errors
from pilotfish.cluster.validation.names import NameRule, dns_label, dns_subdomain, qualified_name
from pilotfish.cluster.validation.placement import (
    affinity_errors,
    gate_errors,
    spread_errors,
    toleration_errors,
)
from pilotfish.cluster.validation.pod_claims import pod_claim_errors
from pilotfish.cluster.validation.security import host_user_errors, pod_security_errors
from pilotfish.cluster.validation.volumes import volume_errors
from pilotfish.cluster.validation.windows import host_process_errors, operating_system_errors

MAX_INT32: Final = 2**31 - 1
RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
DNS_POLICIES: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTION_POLICIES: Final = ("PreemptLowerPriority", "Never")

Rule = Callable[[JsonObject, str], Iterable[FieldError]]


def pod_spec_errors(spec: JsonObject, path: str, *, is_pod: bool) -> Iterator[FieldError]:
    """Give what is wrong with a pod's spec, or that of a template, in the order of upstream."""
    of_volumes, sound_volumes = volume_errors(spec.get("volumes"), f"{path}.volumes")
    around = Surroundings(spec, sound_volumes)
    regular, init = spec.get("containers"), spec.get("initContainers")
    yield from of_volumes
    if claims := spec.get("resourceClaims"):
        yield from pod_claim_errors(claims, f"{path}.resourceClaims")
    yield from container_errors(regular, around, f"{path}.containers")
    if init:
        yield from init_container_errors(init, regular, around, f"{path}.initContainers")
    yield from pod_level_errors(spec, f"{path}.resources")
    if spec.get("hostNetwork"):
        yield from _host_network_errors(regular, f"{path}.containers", is_pod=is_pod)
    for field, errors_of in RULES:
        if spec.get(field) is not None:
            yield from errors_of(spec, path)
    if is_pod:
        yield from _of_pods_only(spec, path)


def _of_pods_only(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a pod, but not with a template, which may yet be filled in."""
    for container, at in each_container(spec, path):
        image = container.get("image", "")
        if image.strip() != image:
            detail = "must not have leading or trailing whitespace"
            yield field_invalid(f"{at}.image", image, detail)
    for i, volume in enumerate(spec.get("volumes") or ()):
        if "image" in volume and not (volume["image"] or {}).get("reference"):
            yield field_required(f"{path}.volumes[{i}].image.reference")


def _host_network_errors(
    containers: list[JsonObject] | None, path: str, *, is_pod: bool
) -> Iterator[FieldError]:
    for i, container in enumerate(containers or ()):
        for j, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort", 0)
            if (is_pod or host) and host != port.get("containerPort", 0):
                detail = "must match `containerPort` when `hostNetwork` is true"
                yield field_invalid(f"{path}[{i}].ports[{j}].hostPort", host, detail)


def _of(field: str, rule: Callable[[Any, str], Iterable[FieldError]]) -> tuple[str, Rule]:
    """Make a rule of one that looks at the value of a field only."""
    return field, lambda spec, path: rule(spec[field], f"{path}.{field}")


def _name(field: str, rule: NameRule) -> tuple[str, Rule]:
    def errors(name: str, path: str) -> Iterable[FieldError]:
        return [field_invalid(path, name, problem) for problem in rule(name)] if name else ()

    return _of(field, errors)


def _readiness_gate_errors(gates: list[JsonObject], path: str) -> Iterator[FieldError]:
    for i, gate in enumerate(gates):
        kind = gate.get("conditionType", "")
        for problem in qualified_name(kind):
            yield field_invalid(f"{path}[{i}].conditionType", kind, problem)


def _deadline_errors(deadline: int, path: str) -> Iterator[FieldError]:
    if not 1 <= deadline <= MAX_INT32:
        yield field_invalid(path, deadline, f"must be between 1 and {MAX_INT32}, inclusive")


def _overhead_errors(overhead: JsonObject, path: str) -> Iterator[FieldError]:
    yield from requirement_errors({"limits": overhead}, path)


RULES: Final[tuple[tuple[str, Rule], ...]] = (
    _of("restartPolicy", one_of(RESTART_POLICIES)),
    _of("dnsPolicy", one_of(DNS_POLICIES)),
    _of("nodeSelector", label_errors),
    ("securityContext", pod_security_errors),
    _of("affinity", affinity_errors),
    ("dnsPolicy", dns_errors),
    _of("readinessGates", _readiness_gate_errors),
    _of("schedulingGates", gate_errors),
    _of("topologySpreadConstraints", spread_errors),
    ("containers", host_process_errors),
    ("hostUsers", host_user_errors),
    ("hostnameOverride", hostname_override_errors),
    _name("serviceAccountName", dns_subdomain),
    _name("nodeName", dns_subdomain),
    _of("activeDeadlineSeconds", _deadline_errors),
    _name("hostname", dns_label),
    _name("subdomain", dns_label),
    _of("tolerations", toleration_errors),
    _of("hostAliases", host_alias_errors),
    _name("priorityClassName", dns_subdomain),
    _name("runtimeClassName", dns_subdomain),
    _of("preemptionPolicy", one_of(PREEMPTION_POLICIES)),
    _of("overhead", _overhead_errors),
    ("os", operating_system_errors),
)
"""What is looked at where a field is there, in the order of upstream's ValidatePodSpec."""
