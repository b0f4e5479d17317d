"""Validation of resource requests and limits.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go and pkg/apis/core/helper/helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pilotfish.api.quantity import Quantity
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
from pilotfish.cluster.schema.defaults.pod_level import aggregate
from pilotfish.cluster.validation.names import dns_label, qualified_name

NOT_NEGATIVE: Final = "must be greater than or equal to 0"
HUGE_PAGES: Final = "hugepages-"

_OF_PODS: Final = ("cpu", HUGE_PAGES, "memory")
_OF_CONTAINERS: Final = frozenset(("cpu", "memory", "ephemeral-storage"))
_OF_QUOTAS: Final = frozenset(
    (
        "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu",
        "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services",
        "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims", "storage",
        "requests.storage", "services.nodeports", "services.loadbalancers",
    )
)  # fmt: skip
_NATIVE_DOMAIN: Final = "kubernetes.io/"
_NANO: Final = 10**9


def pod_level_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with what a pod asks for as a whole, beside its containers."""
    resources = spec.get("resources")
    if resources is None:
        return
    if resources.get("claims") is not None:
        detail = "claims may not be set for Resources at pod-level"
        yield field_forbidden(f"{path}.claims", detail)
    yield from requirement_errors(resources, path, is_pod=True)
    requests: Mapping[str, str] = resources.get("requests") or {}
    for name, amount in aggregate(spec, "requests").items():
        if name in requests and amount > Quantity.parse(requests[name]):
            detail = f"must be greater than or equal to aggregate container requests of {amount}"
            yield field_invalid(f"{path}.requests[{name}]", requests[name], detail)
    limits: Mapping[str, str] = resources.get("limits") or {}
    for i, container in enumerate(spec.get("containers") or ()):
        for name, text in ((container.get("resources") or {}).get("limits") or {}).items():
            if name in limits and Quantity.parse(text) > Quantity.parse(limits[name]):
                detail = f"must be less than or equal to pod limits of {limits[name]}"
                yield field_invalid(f"{path}.containers[{i}][{name}].limits", text, detail)


def requirement_errors(
    requirements: JsonObject,
    path: str,
    claim_names: frozenset[str] = frozenset(),
    *,
    is_pod: bool = False,
) -> Iterator[FieldError]:
    """Give what is wrong with the requests, limits and claims of a container, or of a pod."""
    limits: Mapping[str, str] = requirements.get("limits") or {}
    requests: Mapping[str, str] = requirements.get("requests") or {}
    for name, text in limits.items():
        yield from _amount_errors(name, text, f"{path}.limits[{name}]", is_pod=is_pod)
    for name, text in requests.items():
        yield from _amount_errors(name, text, f"{path}.requests[{name}]", is_pod=is_pod)
        yield from _limit_errors(name, text, limits.get(name), path)
    named = {*limits, *requests}
    if any(name.startswith(HUGE_PAGES) for name in named) and not named & {"cpu", "memory"}:
        yield field_forbidden(path, "HugePages require cpu or memory")
    if not is_pod:
        yield from _claim_errors(requirements.get("claims"), claim_names, f"{path}.claims")


def _claim_errors(
    claims: list[JsonObject] | None, claim_names: frozenset[str], path: str
) -> Iterator[FieldError]:
    taken: set[tuple[str, str]] = set()
    for i, claim in enumerate(claims or ()):
        name, part, at = claim.get("name", ""), claim.get("request", ""), f"{path}[{i}]"
        if not name:
            yield field_required(at)
            continue
        if (name, "") in taken:
            yield field_duplicate(at, name)
        else:
            for problem in dns_label(part) if part else ():
                yield field_invalid(f"{at}.request", part, problem)
            if (name, part) in taken:
                yield field_duplicate(at, f"{name}/{part}")
            elif not part and any(name == other for other, _ in taken):
                yield field_duplicate(at, name)
            taken.add((name, part))
        if name not in claim_names:
            missing = field_not_found(at, name)
            known = f": {', '.join(sorted(claim_names))}" if claim_names else " which is empty"
            detail = f"must be one of the names in pod.spec.resourceClaims{known}"
            yield FieldError(missing.field, missing.reason, f"{missing.body}: {detail}")


def amount_value_errors(name: str, text: str, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the amount of a resource, whatever the resource."""
    amount = Quantity.parse(text)
    if amount.nano < 0:
        yield field_invalid(path, text, NOT_NEGATIVE)
    if _is_counted(name) and amount.nano % _NANO:
        yield field_invalid(path, text, "must be an integer")


def is_extended(name: str) -> bool:
    """Say whether a resource is one that others than Kubernetes define."""
    if _is_native(name) or name.startswith("requests."):
        return False
    return not qualified_name(f"requests.{name}")


def _amount_errors(name: str, text: str, path: str, *, is_pod: bool) -> Iterator[FieldError]:
    if not is_pod:
        yield from _name_errors(name, path)
    elif name not in _OF_PODS and not name.startswith(HUGE_PAGES):
        yield field_not_supported(path, name, _OF_PODS)
    yield from amount_value_errors(name, text, path)
    if name.startswith(HUGE_PAGES) and not _is_whole_pages(name, text):
        yield field_invalid(path, text, f"{text} is not positive integer multiple of {name}")


def _limit_errors(name: str, text: str, limit: str | None, path: str) -> Iterator[FieldError]:
    may_overcommit = _is_native(name) and not name.startswith(HUGE_PAGES)
    if limit is None:
        if not may_overcommit:
            detail = "Limit must be set for non overcommitable resources"
            yield field_required(f"{path}.limits", detail)
        return
    request, bound = Quantity.parse(text), Quantity.parse(limit)
    if request != bound and not may_overcommit:
        yield field_invalid(f"{path}.requests", text, f"must be equal to {name} limit of {limit}")
    elif bound < request:
        detail = f"must be less than or equal to {name} limit of {limit}"
        yield field_invalid(f"{path}.requests", text, detail)


def _name_errors(name: str, path: str) -> Iterator[FieldError]:
    problems = qualified_name(name)
    for problem in problems:
        yield field_invalid(path, name, problem)
    is_plain, is_huge = "/" not in name, name.startswith(HUGE_PAGES)
    if is_plain and not problems and not is_huge and name not in _OF_CONTAINERS | _OF_QUOTAS:
        yield field_invalid(path, name, "must be a standard resource type or fully qualified")
    if is_plain:
        if name not in _OF_CONTAINERS and not is_huge:
            yield field_invalid(path, name, "must be a standard resource for containers")
    elif not _is_native(name) and not is_extended(name):
        yield field_invalid(path, name, "doesn't follow extended resource name standard")


def _is_whole_pages(name: str, text: str) -> bool:
    """Say whether an amount is a multiple of the size that its resource is named by."""
    try:
        size = Quantity.parse(name.removeprefix(HUGE_PAGES)).nano
    except ValueError:
        return False
    return size > 0 and not Quantity.parse(text).nano % size


def _is_native(name: str) -> bool:
    return "/" not in name or _NATIVE_DOMAIN in name


def _is_counted(name: str) -> bool:
    return is_extended(name)
