"""Validation of containers.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go. differs: security contexts, which
    nothing here acts on, are not checked beyond their shape.
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
from pilotfish.cluster.validation.amounts import requirement_errors
from pilotfish.cluster.validation.handlers import PROBES, lifecycle_errors, probe_errors
from pilotfish.cluster.validation.names import (
    config_key,
    dns_label,
    dns_subdomain,
    environment_name,
    port_name,
    port_number,
)
from pilotfish.cluster.validation.references import (
    IN_VARIABLES,
    amount_reference_errors,
    field_reference_errors,
)
from pilotfish.cluster.validation.volumes import descending_path_errors

PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
PROPAGATIONS: Final = ("Bidirectional", "HostToContainer", "None")
RESTART_POLICIES: Final = ("Always", "Never", "OnFailure")
SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


class Surroundings:
    """What the containers of a pod may refer to: its volumes and claims by name, its grace period.

    Volumes that are wrong themselves are none.
    """

    def __init__(self, spec: JsonObject, volumes: frozenset[str]) -> None:
        self.volumes = volumes
        self.grace: int | None = spec.get("terminationGracePeriodSeconds")
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
        yield from _act_errors(container, around, at)
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
        if is_sidecar:
            yield from _act_errors(container, around, at)
        yield from _host_port_errors([container], path)


def _act_errors(container: JsonObject, around: Surroundings, path: str) -> Iterator[FieldError]:
    yield from lifecycle_errors(container.get("lifecycle"), around.grace, f"{path}.lifecycle")
    for probe in PROBES:
        yield from probe_errors(container.get(probe), probe, around.grace, f"{path}.{probe}")


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
    yield from _bulk_environment_errors(container.get("envFrom"), f"{path}.envFrom")
    yield from _mount_errors(container.get("volumeMounts"), around, f"{path}.volumeMounts")
    yield from _device_errors(container.get("volumeDevices"), around, f"{path}.volumeDevices")
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


def _bulk_environment_errors(sources: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    for i, source in enumerate(sources or ()):
        prefix = source.get("prefix", "")
        for problem in environment_name(prefix) if prefix else ():
            yield field_invalid(f"{path}[{i}].prefix", prefix, problem)
        kinds = [k for k in ("configMapRef", "secretRef") if source.get(k) is not None]
        for kind in kinds:
            if not (name := source[kind].get("name", "")):
                yield field_required(f"{path}[{i}].{kind}.name")
            for problem in dns_subdomain(name) if name else ():
                yield field_invalid(f"{path}[{i}].{kind}.name", name, problem)
        if not kinds:
            yield field_invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(kinds) > 1:
            yield field_invalid(path, "", "may not have more than one field specified at a time")


def _source_errors(source: dict[str, Any], value: str, path: str) -> Iterator[FieldError]:
    if (field := source.get("fieldRef")) is not None:
        yield from field_reference_errors(field, IN_VARIABLES, f"{path}.fieldRef")
    if (amount := source.get("resourceFieldRef")) is not None:
        at = f"{path}.resourceFieldRef"
        yield from amount_reference_errors(amount, at, in_volume=False)
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if (reference := source.get(kind)) is None:
            continue
        name = reference.get("name", "")
        for problem in dns_subdomain(name) if name else ():
            yield field_invalid(f"{path}.{kind}.name", name, problem)
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
        part, pattern = mount.get("subPath", ""), mount.get("subPathExpr", "")
        yield from descending_path_errors(part, f"{path}.subPath")
        if part and pattern:
            detail = "subPathExpr and subPath are mutually exclusive"
            yield field_invalid(f"{at}.subPathExpr", pattern, detail)
        yield from descending_path_errors(pattern, f"{path}.subPathExpr")
        if (propagation := mount.get("mountPropagation")) not in (None, *PROPAGATIONS):
            yield field_not_supported(f"{path}.mountPropagation", propagation, PROPAGATIONS)


def _device_errors(
    devices: list[JsonObject] | None, around: Surroundings, path: str
) -> Iterator[FieldError]:
    for i, device in enumerate(devices or ()):
        at, name = f"{path}[{i}]", device.get("name", "")
        if not name:
            yield field_required(f"{at}.name")
        if name not in around.volumes:
            yield field_not_found(f"{at}.name", name)
        if not device.get("devicePath"):
            yield field_required(f"{at}.devicePath")
