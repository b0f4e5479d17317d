"""The RBAC kinds, and which requests a rule covers.

Source: kubernetes v1.36 pkg/apis/rbac/v1/evaluation_helpers.go and
    plugin/pkg/auth/authorizer/rbac/rbac.go.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from pilotfish.api.meta import ApiStruct, KubernetesObject
from pilotfish.cluster.rbac.attributes import Attributes, PathAttributes, ResourceAttributes

ALL: Final = "*"


class PolicyRule(ApiStruct, frozen=True):
    """Verbs on resources, or on paths."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(default=(), name="nonResourceURLs")

    def covers(self, attributes: Attributes) -> bool:
        """Say whether the rule allows the request."""
        match attributes:
            case ResourceAttributes():
                return self.covers_kind(attributes) and self.covers_name(attributes.name)
            case PathAttributes():
                return _has(self.verbs, attributes.verb) and _has_path(
                    self.non_resource_urls, attributes.path
                )

    def covers_kind(self, attributes: ResourceAttributes) -> bool:
        """Say whether the rule allows the request for objects of some names at least."""
        return (
            _has(self.verbs, attributes.verb)
            and _has(self.api_groups, attributes.group)
            and _has_resource(self.resources, attributes.qualified, attributes.subresource)
        )

    def covers_name(self, name: str) -> bool:
        """Say whether the rule allows requests for an object of this name."""
        return not self.resource_names or name in self.resource_names

    def covers_rule(self, other: PolicyRule) -> bool:
        """Say whether the rule allows by itself all that another one does."""
        names = set(other.resource_names)
        return (
            all(_has(self.verbs, verb) for verb in other.verbs)
            and all(_has(self.api_groups, group) for group in other.api_groups)
            and all(
                _has_resource(self.resources, plural, plural.partition("/")[2])
                for plural in other.resources
            )
            and all(_has_path(self.non_resource_urls, path) for path in other.non_resource_urls)
            and (not self.resource_names or (bool(names) and names <= set(self.resource_names)))
        )


class Role(KubernetesObject, frozen=True):
    """A Role or ClusterRole."""

    rules: tuple[PolicyRule, ...] = ()


class RoleRef(ApiStruct, frozen=True):
    """The role that a binding grants."""

    kind: str = ""
    name: str = ""


class Subject(ApiStruct, frozen=True):
    """To whom a binding grants its role."""

    kind: str = ""
    name: str = ""
    namespace: str = ""

    def is_user(self, name: str, groups: Collection[str], namespace: str) -> bool:
        """Say whether the subject names the user, in a binding of this namespace."""
        match self.kind:
            case "User":
                return name == self.name
            case "Group":
                return self.name in groups
            case "ServiceAccount":
                own = self.namespace or namespace
                return bool(own) and name == f"system:serviceaccount:{own}:{self.name}"
            case _:
                return False

    def describe(self, namespace: str) -> str:
        """Name the subject as upstream's reasons do."""
        if self.kind == "ServiceAccount":
            return f'{self.kind} "{self.name}/{self.namespace or namespace}"'
        return f'{self.kind} "{self.name}"'


class RoleBinding(KubernetesObject, frozen=True):
    """A RoleBinding or, without a namespace, ClusterRoleBinding."""

    role_ref: RoleRef = RoleRef()
    subjects: tuple[Subject, ...] = ()

    def subject_of(self, name: str, groups: Collection[str]) -> Subject | None:
        """Give the first subject that names the user."""
        for subject in self.subjects:
            if subject.is_user(name, groups, self.namespace):
                return subject
        return None

    def describe(self, subject: Subject) -> str:
        """Say what is bound to the subject, in upstream's words."""
        kind, name = "ClusterRoleBinding", self.name
        if self.namespace:
            kind, name = "RoleBinding", f"{self.name}/{self.namespace}"
        whom = subject.describe(self.namespace)
        return f'{kind} "{name}" of {self.role_ref.kind} "{self.role_ref.name}" to {whom}'


def _has(allowed: tuple[str, ...], wanted: str) -> bool:
    return wanted in allowed or ALL in allowed


def _has_resource(allowed: tuple[str, ...], wanted: str, part: str) -> bool:
    """Look for a resource as rules write it, such as `pods/status`, whose part is `status`."""
    return _has(allowed, wanted) or (bool(part) and f"*/{part}" in allowed)


def _has_path(allowed: tuple[str, ...], wanted: str) -> bool:
    return any(
        path == wanted or (path.endswith(ALL) and wanted.startswith(path.rstrip(ALL)))
        for path in allowed
    )
