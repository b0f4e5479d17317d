"""What is wrong with roles and bindings, beyond their metadata.

Source: kubernetes v1.36 pkg/apis/rbac/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.metadata import selector_errors
from pilotfish.cluster.validation.names import dns_subdomain, path_segment

GROUP: Final = "rbac.authorization.k8s.io"


def role_errors(role: JsonObject, *, namespaced: bool) -> Iterator[FieldError]:
    """Give what is wrong with a Role, or a ClusterRole where it is not namespaced."""
    for number, rule in enumerate(role.get("rules") or ()):
        yield from _rule_errors(rule, f"rules[{number}]", namespaced=namespaced)
    aggregation = role.get("aggregationRule")
    if aggregation is None or namespaced:
        return
    path = "aggregationRule.clusterRoleSelectors"
    selectors = aggregation.get("clusterRoleSelectors") or ()
    if not selectors:
        yield field_required(
            path, "at least one clusterRoleSelector required if aggregationRule is non-nil"
        )
    for number, selector in enumerate(selectors):
        found = list(selector_errors(selector, f"{path}[{number}]"))
        yield from found
        if found:
            yield field_invalid(f"{path}[{number}]", None, "invalid label selector.")


def binding_errors(binding: JsonObject, *, namespaced: bool) -> Iterator[FieldError]:
    """Give what is wrong with a RoleBinding, or a ClusterRoleBinding: one not namespaced."""
    reference = binding.get("roleRef") or {}
    group, kind = reference.get("apiGroup") or GROUP, reference.get("kind", "")
    if group != GROUP:
        yield field_not_supported("roleRef.apiGroup", group, (GROUP,))
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    if kind not in kinds:
        yield field_not_supported("roleRef.kind", kind, kinds)
    name = reference.get("name", "")
    if not name:
        yield field_required("roleRef.name")
    for problem in path_segment(name):
        yield field_invalid("roleRef.name", name, problem)
    for number, subject in enumerate(binding.get("subjects") or ()):
        yield from _subject_errors(subject, f"subjects[{number}]", namespaced=namespaced)


def binding_update_errors(new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
    """Give what may not change so in a binding: its role."""
    wanted = new.get("roleRef") or {}
    if wanted != old.get("roleRef"):
        told = {
            "APIGroup": wanted.get("apiGroup", ""),
            "Kind": wanted.get("kind", ""),
            "Name": wanted.get("name", ""),
        }
        yield field_invalid("roleRef", told, "cannot change roleRef")


def _rule_errors(rule: JsonObject, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    if not rule.get("verbs"):
        yield field_required(f"{path}.verbs", "verbs must contain at least one value")
    if urls := rule.get("nonResourceURLs"):
        if namespaced:
            detail = "namespaced rules cannot apply to non-resource URLs"
            yield field_invalid(f"{path}.nonResourceURLs", urls, detail)
        if any(rule.get(key) for key in ("apiGroups", "resources", "resourceNames")):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            yield field_invalid(f"{path}.nonResourceURLs", urls, detail)
        return
    if not rule.get("apiGroups"):
        detail = "resource rules must supply at least one api group"
        yield field_required(f"{path}.apiGroups", detail)
    if not rule.get("resources"):
        detail = "resource rules must supply at least one resource"
        yield field_required(f"{path}.resources", detail)


def _subject_errors(subject: JsonObject, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    name, kind = subject.get("name", ""), subject.get("kind", "")
    group = subject.get("apiGroup", "")
    if not name:
        yield field_required(f"{path}.name")
    match kind:
        case "ServiceAccount":
            for problem in dns_subdomain(name) if name else ():
                yield field_invalid(f"{path}.name", name, problem)
            if group:
                yield field_not_supported(f"{path}.apiGroup", group, ("",))
            if not namespaced and not subject.get("namespace"):
                yield field_required(f"{path}.namespace")
        case "User" | "Group":
            if group not in {"", GROUP}:  # empty stands for the default
                yield field_not_supported(f"{path}.apiGroup", group, (GROUP,))
        case _:
            kinds = ("ServiceAccount", "User", "Group")
            yield field_not_supported(f"{path}.kind", kind, kinds)
