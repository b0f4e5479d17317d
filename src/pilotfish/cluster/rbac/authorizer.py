"""Decides who may do what, by upstream's rules."""

from __future__ import annotations

from typing import Final

import msgspec

from pilotfish.cluster.rbac.attributes import (
    Attributes,
    PathAttributes,
    ResourceAttributes,
    forbidden,
)
from pilotfish.cluster.rbac.index import PolicyIndex
from pilotfish.cluster.rbac.policy import PolicyRule, Role, RoleBinding
from pilotfish.cluster.requests import User
from pilotfish.cluster.store import Store

MASTERS: Final = "system:masters"
_MOST_USERS: Final = 1000  # users, each with a namespace, whose rules are remembered
_MOST_KINDS: Final = 1000  # kinds of request, of each of those


class Decision(msgspec.Struct, frozen=True):
    """Whether a request is allowed."""

    allowed: bool
    reason: str = ""
    """Which binding allows it, or which roles were looked for in vain."""


ALLOWED: Final = Decision(allowed=True)


class Authorizer:
    """RBAC over the roles and bindings in a store.

    *Theory of operation.* Policies change rarely. The index follows the store's change log; the
    rules of each user in each namespace are collected once, and so are, for each verb and
    resource, those among them that cover it. All of it is dropped when any policy changes.

    Source: kubernetes v1.36 plugin/pkg/auth/authorizer/rbac/rbac.go and
        pkg/registry/rbac/validation/rule.go. differs: policies apply in the order of their names,
        where upstream has none.
    """

    def __init__(self, store: Store) -> None:
        self._index = PolicyIndex(store)
        self._grants: dict[tuple[str, tuple[str, ...], str], _Grants] = {}

    def allowed(self, user: User, attributes: Attributes) -> Decision:
        """Decide on a request."""
        if MASTERS in user.groups:
            return ALLOWED
        match attributes:
            case ResourceAttributes():
                return self._grants_of(user, attributes.namespace).on_resource(attributes)
            case PathAttributes():
                return self._grants_of(user, "").on_path(attributes)

    def require(self, user: User, attributes: Attributes) -> None:
        """Let a request pass.

        Raises:
            StatusError: Forbidden: it is not allowed.
        """
        decision = self.allowed(user, attributes)
        if not decision.allowed:
            raise forbidden(user, attributes, decision.reason)

    def rules_of(self, user: User, namespace: str) -> tuple[list[PolicyRule], str]:
        """Give the rules that count for a user in a namespace, and which roles are missing.

        The latter is as a denial says it, without `RBAC: `.
        """
        grants = self._grants_of(user, namespace)
        return [grant.rule for grant in grants.all], grants.missing

    def role_of(self, binding: RoleBinding) -> Role | None:
        """Give the role that a binding, stored or not, grants; None where there is none."""
        self._refresh()
        return self._index.role_of(binding)

    def _refresh(self) -> None:
        if self._index.refresh():
            self._grants.clear()

    def _grants_of(self, user: User, namespace: str) -> _Grants:
        self._refresh()
        if len(self._grants) > _MOST_USERS:
            self._grants.clear()
        key = (user.name, user.groups, namespace)
        grants = self._grants.get(key)
        if grants is None:
            grants = self._grants[key] = self._collect(user, namespace)
        return grants

    def _collect(self, user: User, namespace: str) -> _Grants:
        grants: list[_Grant] = []
        missing: dict[str, None] = {}
        for binding in self._index.bindings_in(namespace):
            subject = binding.subject_of(user.name, user.groups)
            if subject is None:
                continue
            role = self._index.role_of(binding)
            if role is None:
                kind, name = binding.role_ref.kind.lower(), binding.role_ref.name
                missing[f'{kind}.rbac.authorization.k8s.io "{name}" not found'] = None
                continue
            allowed = Decision(True, f"RBAC: allowed by {binding.describe(subject)}")
            grants += [_Grant(rule, allowed) for rule in role.rules]
        return _Grants(tuple(grants), tuple(missing))


class _Grant(msgspec.Struct, frozen=True):
    """A rule that counts for a user, and the decision where it covers a request."""

    rule: PolicyRule
    decision: Decision


class _Grants:
    """What counts for one user in one namespace, in order."""

    def __init__(self, grants: tuple[_Grant, ...], missing: tuple[str, ...]) -> None:
        self.all = grants
        self.missing = f"[{', '.join(missing)}]" if len(missing) > 1 else "".join(missing)
        self._denied = Decision(False, f"RBAC: {self.missing}" if missing else "")
        self._by_kind: dict[tuple[str, str, str], tuple[_Grant, ...]] = {}

    def on_resource(self, attributes: ResourceAttributes) -> Decision:
        key = (attributes.verb, attributes.group, attributes.qualified)
        grants = self._by_kind.get(key)
        if grants is None:
            if len(self._by_kind) > _MOST_KINDS:
                self._by_kind.clear()
            grants = tuple(grant for grant in self.all if grant.rule.covers_kind(attributes))
            self._by_kind[key] = grants
        for grant in grants:
            if grant.rule.covers_name(attributes.name):
                return grant.decision
        return self._denied

    def on_path(self, attributes: PathAttributes) -> Decision:
        for grant in self.all:
            if grant.rule.covers(attributes):
                return grant.decision
        return self._denied
