"""Validation of what only pods of Windows have, and of what they may not have.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go,
    validateWindowsSecurityContextOptions, validateWindowsHostProcessPod, validateOS, validateLinux
    and validateWindows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import each_container
from pilotfish.cluster.validation.names import dns_subdomain

OF_PODS: Final = (
    "securityContext.appArmorProfile", "securityContext.seLinuxOptions", "hostUsers", "hostPID",
    "hostIPC", "securityContext.seccompProfile", "securityContext.fsGroup",
    "securityContext.fsGroupChangePolicy", "securityContext.sysctls", "shareProcessNamespace",
    "securityContext.runAsUser", "securityContext.runAsGroup",
    "securityContext.supplementalGroups", "securityContext.supplementalGroupsPolicy",
    "securityContext.seLinuxChangePolicy",
)  # fmt: skip
"""What a pod of Windows may not have, in the order in which upstream looks."""
OF_CONTAINERS: Final = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities",
    "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser",
    "runAsGroup",
)  # fmt: skip
"""What the security context of a container in it may not have."""
FORBIDDEN: Final = {
    "linux": (
        ("securityContext.windowsOptions",),
        ("windowsOptions",),
        "windows options cannot be set for a linux pod",
    ),
    "windows": (OF_PODS, OF_CONTAINERS, "cannot be set for a windows pod"),
}
"""By system: what neither a pod for it nor its containers may have, and what to say then."""
MAX_CREDENTIAL_KIB: Final = 64
MAX_DOMAIN: Final = 256
MAX_USER: Final = 104

_DNS_PART = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN: Final = re.compile(rf'[^\\/:*?"<>|.][^\\/:*?"<>|]{{0,14}}|{_DNS_PART}(?:\.{_DNS_PART})*')
"""A name of NetBIOS or DNS."""


def windows_option_errors(options: JsonObject | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the Windows part of a security context."""
    if options is None:
        return
    at, spec_name = f"{path}.gmsaCredentialSpecName", options.get("gmsaCredentialSpecName")
    for problem in dns_subdomain(spec_name) if spec_name is not None else ():
        yield field_invalid(at, spec_name, problem)
    at, spec = f"{path}.gmsaCredentialSpec", options.get("gmsaCredentialSpec")
    if spec == "":
        yield field_invalid(at, spec, "gmsaCredentialSpec cannot be an empty string")
    elif spec is not None and len(spec.encode()) > MAX_CREDENTIAL_KIB * 1024:
        detail = f"gmsaCredentialSpec size must be under {MAX_CREDENTIAL_KIB} KiB"
        yield field_invalid(at, spec, detail)
    if (name := options.get("runAsUserName")) is not None:
        for problem in _user_problems(name):
            yield field_invalid(f"{path}.runAsUserName", name, f"runAsUserName{problem}")


def host_process_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a pod of which some containers are processes of the host."""
    of_pod = _is_host_process(spec)
    are_host_processes = []
    for container, at in each_container(spec, path):
        own = _is_host_process(container)
        if None not in (own, of_pod) and own != of_pod:
            was = "true" if of_pod else "false"
            detail = f"pod hostProcess value must be identical if both are specified, was {was}"
            yield field_invalid(f"{at}.securityContext.windowsOptions.hostProcess", own, detail)
        are_host_processes.append(bool(of_pod if own is None else own))
    if not any(are_host_processes):
        return
    if not all(are_host_processes):
        detail = (
            "If pod contains any hostProcess containers then all containers must be HostProcess "
            "containers"
        )
        yield field_invalid(path, "", detail)
    if not spec.get("hostNetwork"):
        detail = "hostNetwork must be true if pod contains any hostProcess containers"
        yield field_invalid(f"{path}.hostNetwork", value=False, detail=detail)


def operating_system_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the system that a pod is for, or does not go with it."""
    if not (name := spec["os"].get("name", "")):
        yield field_required(f"{path}.os.name")
        return
    if name not in FORBIDDEN:
        yield field_not_supported(f"{path}.os", name, FORBIDDEN)
        return
    of_pods, of_containers, detail = FORBIDDEN[name]
    own = {f"securityContext.{field}" for field in spec.get("securityContext") or ()}
    for field in of_pods:
        if field in own or field in spec:
            yield field_forbidden(f"{path}.{field}", detail)
    for container, at in each_container(spec, path):
        context = container.get("securityContext") or {}
        for field in of_containers:
            if field in context:
                yield field_forbidden(f"{at}.securityContext.{field}", detail)


def _is_host_process(of: JsonObject) -> bool | None:
    options = (of.get("securityContext") or {}).get("windowsOptions") or {}
    asked: bool | None = options.get("hostProcess")
    return asked


def _user_problems(name: str) -> Iterator[str]:
    """Give what is wrong with the name of a user, as what follows the name of the field."""
    *domains, user = name.split("\\")
    if not name:
        yield " cannot be an empty string"
    elif re.search(r"[\x00-\x1f\x7f]", name):
        yield " cannot contain control characters"
    elif len(domains) > 1:
        yield " cannot contain more than one backslash"
    else:
        for domain in domains:
            if len(domain.encode()) >= MAX_DOMAIN:
                yield f"'s Domain length must be under {MAX_DOMAIN} characters"
            if _DOMAIN.fullmatch(domain) is None:
                yield "'s Domain doesn't match the NetBios nor the DNS format"
        if not user:
            yield "'s User cannot be empty"
        elif len(user.encode()) > MAX_USER:
            yield f"'s User length must not be longer than {MAX_USER} characters"
        if user and not user.strip(". "):
            yield "'s User cannot contain only periods or spaces"
        if re.search(r'["/\\:;|=,+*?<>@\[\]]', user):
            yield "'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]"
