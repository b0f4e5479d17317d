"""Validation of containers.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go. differs: lifecycle hooks and
    security contexts, which nothing here acts on, are not checked beyond their shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_found,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE, requirement_errors
from pilotfish.cluster.validation.names import (
    config_key,
    dns_label,
    environment_name,
    port_name,
    port_number,
)

PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
RESTART_POLICIES: Final = ("Always", "Never", "OnFailure")
PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


class Surroundings:
    """What the containers of a pod may refer to: its volumes and claims, by name."""

    def __init__(self, spec: JsonObject) -> None:
        self.volumes = frozenset(v.get("name", "") for v in spec.get("volumes") or ())
        self.claims = frozenset(c.get("name", "") for c in spec.get("resourceClaims") or ())


def container_errors(
    containers: list[JsonObject] | None, around: Surroundings, path: str
) -> Iterator[FieldError]:
    """Give what is wrong with the containers of a pod."""
    if not containers:
        yield field_required(path)
        return
    names: set[str] = set()
    for i, container in enumerate(containers):
        at = f"{path}[{i}]"
        yield from _common_errors(container, around, at)
        if container.get("name", "") in names:
            yield field_duplicate(f"{at}.name", container.get("name", ""))
        names.add(container.get("name", ""))
        for probe in PROBES:
            yield from _probe_errors(container.get(probe), probe, f"{at}.{probe}")
        yield from _restart_errors(container, at)
    yield from _host_port_errors(containers, path)


def init_container_errors(
    containers: list[JsonObject] | None,
    regular: list[JsonObject] | None,
    around: Surroundings,
    path: str,
) -> Iterator[FieldError]:
    """Give what is wrong with the init containers of a pod; those that restart are sidecars."""
    names = {container.get("name", "") for container in regular or ()}
    for i, container in enumerate(containers or ()):
        at, name = f"{path}[{i}]", container.get("name", "")
        yield from _common_errors(container, around, at)
        yield from _restart_errors(container, at)
        if name in names:
            yield field_duplicate(f"{at}.name", name)
        elif name:
            names.add(name)
        is_sidecar = container.get("restartPolicy") == "Always"
        for part in ("lifecycle", *PROBES):
            if not is_sidecar and container.get(part) is not None:
                detail = "may not be set for init containers without restartPolicy=Always"
                yield field_forbidden(f"{at}.{part}", detail)
        for probe in PROBES if is_sidecar else ():
            yield from _probe_errors(container.get(probe), probe, f"{at}.{probe}")
        yield from _host_port_errors([container], path)


def _common_errors(container: JsonObject, around: Surroundings, path: str) -> Iterator[FieldError]:
    name, policy = container.get("name", ""), container.get("terminationMessagePolicy", "")
    if not name:
        yield field_required(f"{path}.name")
    for problem in dns_label(name) if name else ():
        yield field_invalid(f"{path}.name", name, problem)
    if not container.get("image"):
        yield field_required(f"{path}.image")
    if policy not in MESSAGE_POLICIES:
        yield field_not_supported(f"{path}.terminationMessagePolicy", policy, MESSAGE_POLICIES)
    yield from _port_errors(container.get("ports"), f"{path}.ports")
    yield from _environment_errors(container.get("env"), f"{path}.env")
    yield from _mount_errors(container.get("volumeMounts"), around, f"{path}.volumeMounts")
    pull = container.get("imagePullPolicy", "")
    if pull not in PULL_POLICIES:
        yield field_not_supported(f"{path}.imagePullPolicy", pull, PULL_POLICIES)
    resources = container.get("resources") or {}
    yield from requirement_errors(resources, f"{path}.resources", around.claims)


def _restart_errors(container: JsonObject, path: str) -> Iterator[FieldError]:
    policy = container.get("restartPolicy")
    if policy is not None and policy not in RESTART_POLICIES:
        yield field_not_supported(f"{path}.restartPolicy", policy, RESTART_POLICIES)
    if policy is None and container.get("restartPolicyRules"):
        detail = "must specify restartPolicy when restart rules are used"
        yield field_required(f"{path}.restartPolicy", detail)


def _port_errors(ports: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    names = set()
    for i, port in enumerate(ports or ()):
        at = f"{path}[{i}]"
        if name := port.get("name", ""):
            problems = port_name(name)
            for problem in problems:
                yield field_invalid(f"{at}.name", name, problem)
            if not problems and name in names:
                yield field_duplicate(f"{at}.name", name)
            names.add(name)
        if not port.get("containerPort"):
            yield field_required(f"{at}.containerPort")
        for field in ("containerPort", "hostPort"):
            number = port.get(field)
            for problem in port_number(number) if number else ():
                yield field_invalid(f"{at}.{field}", number, problem)
        if (protocol := port.get("protocol", "")) not in PROTOCOLS:
            yield field_not_supported(f"{at}.protocol", protocol, PROTOCOLS)


def _host_port_errors(containers: list[JsonObject], path: str) -> Iterator[FieldError]:
    taken = set()
    for i, container in enumerate(containers):
        for j, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if key in taken:
                yield field_duplicate(f"{path}[{i}].ports[{j}].hostPort", key)
            taken.add(key)


def _environment_errors(variables: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    for i, variable in enumerate(variables or ()):
        at, name = f"{path}[{i}]", variable.get("name", "")
        if not name:
            yield field_required(f"{at}.name")
        for problem in environment_name(name) if name else ():
            yield field_invalid(f"{at}.name", name, problem)
        if (source := variable.get("valueFrom")) is not None:
            yield from _source_errors(source, variable.get("value", ""), f"{at}.valueFrom")


def _source_errors(source: dict[str, Any], value: str, path: str) -> Iterator[FieldError]:
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if (reference := source.get(kind)) is None:
            continue
        if not (key := reference.get("key", "")):
            yield field_required(f"{path}.{kind}.key")
        for problem in config_key(key) if key else ():
            yield field_invalid(f"{path}.{kind}.key", key, problem)
    count = sum(source.get(kind) is not None for kind in SOURCES)
    if count == 0:
        detail = (
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
            "`secretKeyRef` or `fileKeyRef`"
        )
        yield field_invalid(path, "", detail)
    elif value:
        yield field_invalid(path, "", "may not be specified when `value` is not empty")
    elif count > 1:
        yield field_invalid(path, "", "may not have more than one field specified at a time")


def _mount_errors(
    mounts: list[JsonObject] | None, around: Surroundings, path: str
) -> Iterator[FieldError]:
    taken = set()
    for i, mount in enumerate(mounts or ()):
        at, name, place = f"{path}[{i}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield field_required(f"{at}.name")
        if name not in around.volumes:
            yield field_not_found(f"{at}.name", name)
        if not place:
            yield field_required(f"{at}.mountPath")
        if place in taken:
            yield field_invalid(f"{at}.mountPath", place, "must be unique")
        taken.add(place)


def _probe_errors(probe: JsonObject | None, kind: str, path: str) -> Iterator[FieldError]:
    if probe is None:
        return
    handlers = [handler for handler in HANDLERS if probe.get(handler) is not None]
    if not handlers:
        yield field_required(path, "must specify a handler type")
    for handler in handlers[1:]:
        yield field_forbidden(f"{path}.{handler}", "may not specify more than 1 handler type")
    for field in (
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ):
        if probe.get(field, 0) < 0:
            yield field_invalid(f"{path}.{field}", probe[field], NOT_NEGATIVE)
    grace, field = probe.get("terminationGracePeriodSeconds"), "terminationGracePeriodSeconds"
    if grace is not None and grace <= 0:
        yield field_invalid(f"{path}.{field}", grace, "must be greater than 0")
    if kind == "readinessProbe":
        if grace is not None:
            yield field_invalid(f"{path}.{field}", grace, "must not be set for readinessProbes")
    elif probe.get("successThreshold", 1) != 1:
        yield field_invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")
