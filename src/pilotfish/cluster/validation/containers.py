"""Validation of containers.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go. differs: references to the keys of
    files are not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
    one_of,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.amounts import requirement_errors
from pilotfish.cluster.validation.handlers import PROBES, lifecycle_errors, probe_errors
from pilotfish.cluster.validation.mounts import device_errors, mount_errors
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
from pilotfish.cluster.validation.restarts import init_resize_errors, resize_errors, restart_errors
from pilotfish.cluster.validation.security import container_security_errors

PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
RESTARTS: Final = frozenset(("restartPolicy", "restartPolicyRules"))
SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


Rule = Callable[[JsonObject, "Surroundings", str], Iterable[FieldError]]


class Surroundings:
    """What a container may refer to in its pod, and what follows from the pod for it.

    Attributes:
        volumes: those that are not wrong themselves, by name.
        claims: the names of the pod's claims of devices.
        grace: how many seconds the pod has to end.
        never_restarts: by the policy of the pod.
        host_users: whether its users are those of the host.
    """

    def __init__(self, spec: JsonObject, volumes: Mapping[str, JsonObject]) -> None:
        self.volumes = volumes
        claims = spec.get("resourceClaims")
        self.claims = frozenset(c.get("name", "") for c in claims) if claims else frozenset()
        self.grace: int | None = spec.get("terminationGracePeriodSeconds")
        self.never_restarts = spec.get("restartPolicy") == "Never"
        self.host_users = spec.get("hostUsers") is not False


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
        if RESTARTS & container.keys():
            yield from restart_errors(container, at)
    yield from _host_port_errors(containers, path)


def init_container_errors(
    containers: list[JsonObject],
    regular: list[JsonObject] | None,
    around: Surroundings,
    path: str,
) -> Iterator[FieldError]:
    """Give what is wrong with the init containers of a pod; those that restart are sidecars."""
    names = {container.get("name", "") for container in regular or ()}
    for i, container in enumerate(containers):
        at, name = f"{path}[{i}]", container.get("name", "")
        yield from _common_errors(container, around, at)
        yield from restart_errors(container, at)
        if name in names:
            yield field_duplicate(f"{at}.name", name)
        elif name:
            names.add(name)
        yield from _host_port_errors([container], path)
        is_sidecar = container.get("restartPolicy") == "Always"
        for part in ("lifecycle", *PROBES):
            if not is_sidecar and container.get(part) is not None:
                detail = "may not be set for init containers without restartPolicy=Always"
                yield field_forbidden(f"{at}.{part}", detail)
        if is_sidecar:
            yield from _act_errors(container, around, at)
        else:
            policies = container.get("resizePolicy") or []
            yield from init_resize_errors(policies, f"{at}.resizePolicy")


def _act_errors(container: JsonObject, around: Surroundings, path: str) -> Iterator[FieldError]:
    if lifecycle := container.get("lifecycle"):
        yield from lifecycle_errors(lifecycle, around.grace, f"{path}.lifecycle")
    for kind in PROBES:
        if (probe := container.get(kind)) is not None:
            yield from probe_errors(probe, kind, around.grace, f"{path}.{kind}")


def _common_errors(container: JsonObject, around: Surroundings, path: str) -> Iterator[FieldError]:
    name = container.get("name", "")
    if not name:
        yield field_required(f"{path}.name")
    for problem in dns_label(name) if name else ():
        yield field_invalid(f"{path}.name", name, problem)
    if not container.get("image"):
        yield field_required(f"{path}.image")
    for field, errors_of in RULES:
        if container.get(field):
            yield from errors_of(container, around, f"{path}.{field}")


def _of(field: str, rule: Callable[[Any, str], Iterable[FieldError]]) -> tuple[str, Rule]:
    """Make a rule of one that looks at the value of a field only."""
    return field, lambda container, _around, path: rule(container[field], path)


def _port_errors(ports: list[JsonObject], path: str) -> Iterator[FieldError]:
    names = set()
    for i, port in enumerate(ports):
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


def _environment_errors(variables: list[JsonObject], path: str) -> Iterator[FieldError]:
    for i, variable in enumerate(variables):
        at, name = f"{path}[{i}]", variable.get("name", "")
        if not name:
            yield field_required(f"{at}.name")
        for problem in environment_name(name) if name else ():
            yield field_invalid(f"{at}.name", name, problem)
        if (source := variable.get("valueFrom")) is not None:
            yield from _source_errors(source, variable.get("value", ""), f"{at}.valueFrom")


def _bulk_environment_errors(sources: list[JsonObject], path: str) -> Iterator[FieldError]:
    for i, source in enumerate(sources):
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


RULES: Final[tuple[tuple[str, Rule], ...]] = (
    _of("terminationMessagePolicy", one_of(MESSAGE_POLICIES)),
    _of("ports", _port_errors),
    _of("env", _environment_errors),
    _of("envFrom", _bulk_environment_errors),
    ("volumeMounts", lambda container, around, path: mount_errors(container, around.volumes, path)),
    (
        "volumeDevices",
        lambda container, around, path: device_errors(container, around.volumes, path),
    ),
    _of("imagePullPolicy", one_of(PULL_POLICIES)),
    (
        "resources",
        lambda container, around, path: requirement_errors(
            container["resources"], path, around.claims
        ),
    ),
    (
        "resizePolicy",
        lambda container, around, path: resize_errors(
            container["resizePolicy"], path, never_restarts=around.never_restarts
        ),
    ),
    (
        "securityContext",
        lambda container, around, path: container_security_errors(
            container["securityContext"], path, host_users=around.host_users
        ),
    ),
)
"""What is looked at where a field is there, in the order of upstream's validateContainerCommon."""
