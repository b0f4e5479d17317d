"""Validation of security contexts, of pods and of containers.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, ValidateSecurityContext and
    validatePodSpecSecurityContext; component-helpers/node/util/sysctl/namespace.go. differs: the
    annotations of old for seccomp and AppArmor are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
    field_too_long,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import each_container
from pilotfish.cluster.validation.volumes import descending_path_errors
from pilotfish.cluster.validation.windows import windows_option_errors

MAX_ID: Final = 2**31 - 1
MAX_PROFILE: Final = 4095  # upstream's maxLocalhostProfileLength
PROC_MOUNTS: Final = ("Default", "Unmasked")
PROFILES: Final = ("Localhost", "RuntimeDefault", "Unconfined")
POLICIES: Final = {
    "supplementalGroupsPolicy": ("Merge", "Strict"),
    "seLinuxChangePolicy": ("Recursive",),
}
GROUP_CHANGE_POLICIES: Final = ("Always", "OnRootMismatch")
HOST_NAMESPACES: Final = {"hostNetwork": "hostNetwork", "hostPID": "HostPID", "hostIPC": "HostIPC"}
"""How upstream shows each, slips included."""
IN_IPC: Final = re.compile(
    r"kernel\.(sem|shm|shmall|shmmax|shmmni|shm_rmid_forced|msg|msgmax|msgmnb|msgmni)"
    r"|fs\.mqueue\..*"
)
"""Names of sysctls that a pod shares with its host when it shares the host's IPC namespace."""
_SYSCTL: Final = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_MAX_SYSCTL: Final = 253


def container_security_errors(
    context: JsonObject, path: str, *, host_users: bool
) -> Iterator[FieldError]:
    """Give what is wrong with what a container may do."""
    yield from _id_errors(context, ("runAsUser", "runAsGroup"), path)
    mount = context.get("procMount")
    if mount not in (None, *PROC_MOUNTS):
        yield field_not_supported(f"{path}.procMount", mount, PROC_MOUNTS)
    if mount == "Unmasked" and host_users:
        detail = "`hostUsers` must be false to use `Unmasked`"
        yield field_invalid(f"{path}.procMount", mount, detail)
    yield from _seccomp_errors(context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        added = (context.get("capabilities") or {}).get("add") or ()
        for granted, is_granted in (
            ("`privileged` to true", context.get("privileged")),
            ("`capabilities.Add` CAP_SYS_ADMIN", "CAP_SYS_ADMIN" in added),
        ):
            if is_granted:
                detail = f"cannot set `allowPrivilegeEscalation` to false and {granted}"
                yield field_invalid(path, context, detail)
    yield from windows_option_errors(context.get("windowsOptions"), f"{path}.windowsOptions")
    yield from _app_armor_errors(context.get("appArmorProfile"), f"{path}.appArmorProfile")


def pod_security_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with what all containers of a pod may do."""
    context, path = spec["securityContext"], f"{path}.securityContext"
    if not context and not spec.get("shareProcessNamespace"):
        return  # as in nearly all pods
    yield from _id_errors(context, ("fsGroup", "runAsUser", "runAsGroup"), path)
    for i, group in enumerate(context.get("supplementalGroups") or ()):
        yield from _range_errors(group, f"{path}.supplementalGroups[{i}]")
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield field_invalid(f"{path}.shareProcessNamespace", value=True, detail=detail)
    yield from _sysctl_errors(context.get("sysctls") or (), spec, f"{path}.sysctls")
    policy = context.get("fsGroupChangePolicy")
    if policy not in (None, *GROUP_CHANGE_POLICIES):
        yield field_not_supported(f"{path}.fsGroupChangePolicy", policy, GROUP_CHANGE_POLICIES)
    yield from _seccomp_errors(context.get("seccompProfile"), f"{path}.seccompProfile")
    yield from windows_option_errors(context.get("windowsOptions"), f"{path}.windowsOptions")
    yield from _app_armor_errors(context.get("appArmorProfile"), f"{path}.appArmorProfile")
    for field, supported in POLICIES.items():
        if (policy := context.get(field)) not in (None, *supported):
            yield field_not_supported(f"{path}.{field}", policy, supported)


def host_user_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what a pod with users of its own may not have of its host's."""
    if spec["hostUsers"]:
        return
    detail = "when `hostUsers` is false"
    for field, shown in HOST_NAMESPACES.items():
        if spec.get(field):
            yield field_forbidden(f"{path}.{shown}", detail)
    for container, at in each_container(spec, path):
        if container.get("volumeDevices"):
            yield field_forbidden(f"{at}.volumeDevices", detail)


def _id_errors(context: JsonObject, fields: Iterable[str], path: str) -> Iterator[FieldError]:
    for field in fields:
        if (value := context.get(field)) is not None:
            yield from _range_errors(value, f"{path}.{field}")


def _range_errors(value: int, path: str) -> Iterator[FieldError]:
    if not 0 <= value <= MAX_ID:
        yield field_invalid(path, value, f"must be between 0 and {MAX_ID}, inclusive")


def _seccomp_errors(profile: JsonObject | None, path: str) -> Iterator[FieldError]:
    if profile is None:
        return
    yield from _profile_type_errors(profile, "seccompProfile", path)
    at, local = f"{path}.localhostProfile", profile.get("localhostProfile")
    if profile.get("type") != "Localhost":
        if local is not None:
            yield field_invalid(at, profile, "can only be set when seccomp type is Localhost")
    elif local is None:
        yield field_required(at, "must be set when seccomp type is Localhost")
    else:
        yield from descending_path_errors(local, at)


def _app_armor_errors(profile: JsonObject | None, path: str) -> Iterator[FieldError]:
    if profile is None:
        return
    yield from _profile_type_errors(profile, "appArmorProfile", path)
    at, local = f"{path}.localhostProfile", profile.get("localhostProfile")
    if profile.get("type") == "Localhost":
        if not local:
            yield field_required(at, "must be set when AppArmor type is Localhost")
        elif local != local.strip():
            yield field_invalid(at, local, "must not be padded with whitespace")
        if len((local or "").encode()) > MAX_PROFILE:
            yield field_too_long(at, MAX_PROFILE)
    elif local is not None and profile.get("type") in PROFILES:
        yield field_invalid(at, local, "can only be set when AppArmor type is Localhost")


def _profile_type_errors(profile: JsonObject, field: str, path: str) -> Iterator[FieldError]:
    if not (kind := profile.get("type")):
        yield field_required(f"{path}.type", f"type is required when {field} is set")
    elif kind not in PROFILES:
        yield field_not_supported(f"{path}.type", kind, PROFILES)


def _sysctl_errors(
    sysctls: Iterable[JsonObject], spec: JsonObject, path: str
) -> Iterator[FieldError]:
    names = set()
    for i, sysctl in enumerate(sysctls):
        at, name = f"{path}[{i}].name", sysctl.get("name", "")
        if not name:
            yield field_required(at)
        elif len(name) > _MAX_SYSCTL or re.fullmatch(_SYSCTL, name) is None:
            detail = f"must have at most {_MAX_SYSCTL} characters and match regex ^{_SYSCTL}$"
            yield field_invalid(at, name, detail)
        elif name in names:
            yield field_duplicate(at, name)
        names.add(name)
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") and dotted.startswith("net."):
            yield field_invalid(at, name, "may not be specified when 'hostNetwork' is true")
        elif spec.get("hostIPC") and IN_IPC.fullmatch(dotted):
            yield field_invalid(at, name, "may not be specified when 'hostIPC' is true")
