"""Nobody grants what they do not hold themselves: an admission check of roles and bindings.

Who may `escalate` a role, or `bind` one, need not hold its permissions.

Source: kubernetes v1.36 pkg/registry/rbac/escalation_check.go, .../rbac/*/policybased/storage.go,
    .../rbac/validation/rule.go and k8s.io/component-helpers/auth/rbac/validation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

import msgspec

from pilotfish.api.codec import decode
from pilotfish.cluster.admission.plugin import Review
from pilotfish.cluster.errors import forbidden, not_found, quote
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac.aggregation import AggregatedRole
from pilotfish.cluster.rbac.attributes import ResourceAttributes
from pilotfish.cluster.rbac.authorizer import Authorizer
from pilotfish.cluster.rbac.policy import ALL, PolicyRule, RoleBinding
from pilotfish.cluster.rbac.validation import GROUP
from pilotfish.cluster.requests import User

_EVERYTHING: Final = (
    PolicyRule(verbs=(ALL,), api_groups=(ALL,), resources=(ALL,)),
    PolicyRule(verbs=(ALL,), non_resource_urls=(ALL,)),
)
_PLURALS: Final = {"Role": "roles", "ClusterRole": "clusterroles"}
_OF_OWNERSHIP: Final = ("ownerReferences", "finalizers", "managedFields")


class EscalationCheck:
    """Refuses roles, and bindings of roles, with more permissions than their author has."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def admit(self, review: Review) -> None:
        """Let a write pass.

        Raises:
            StatusError: 403: it would grant more; 404: the bound role is not there.
        """
        resource, new = review.resource, review.new
        if resource.group != GROUP or new is None or _changes_ownership_only(new, review.old):
            return
        if resource.kind in _PLURALS:
            self._check_role(review, new)
        else:
            self._check_binding(review, new)

    def _check_role(self, review: Review, new: JsonObject) -> None:
        name = review.name if review.operation == "update" else ""
        if self._may("escalate", review, review.resource.plural, name):
            return
        role = _role(new)
        self._confirm(review, role.rules)
        gathers = role.aggregation_rule or (review.old and _role(review.old).aggregation_rule)
        if gathers and self._lacking(review, _EVERYTHING):
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise forbidden(review.resource, _name(review), why)

    def _check_binding(self, review: Review, new: JsonObject) -> None:
        binding = decode(RoleBinding, msgspec.json.encode(new))
        reference = binding.role_ref
        plural = _PLURALS.get(reference.kind)
        if plural is None or self._may("bind", review, plural, reference.name):
            return  # of another kind: validation refuses it
        role = self._authorizer.role_of(binding)
        if role is None:
            raise not_found(review.resource, reference.name)  # upstream names this resource, too
        self._confirm(review, role.rules)

    def _may(self, verb: str, review: Review, plural: str, name: str) -> bool:
        attributes = ResourceAttributes(
            verb=verb, group=GROUP, resource=plural, namespace=review.namespace, name=name
        )
        return self._authorizer.allowed(review.user, attributes).allowed

    def _lacking(self, review: Review, rules: Iterable[PolicyRule]) -> list[PolicyRule]:
        held, _ = self._authorizer.rules_of(review.user, review.namespace)
        parts = (part for rule in rules for part in _parts(rule))
        return [part for part in parts if not any(rule.covers_rule(part) for rule in held)]

    def _confirm(self, review: Review, rules: Iterable[PolicyRule]) -> None:
        if not (lacking := self._lacking(review, rules)):
            return
        told = "\n".join(sorted({_shown(rule) for rule in _compact(lacking)}))
        why = (
            f"{_who(review.user)} is attempting to grant RBAC permissions not currently held:\n"
            f"{told}"
        )
        _, missing = self._authorizer.rules_of(review.user, review.namespace)
        if missing:
            why += f"; resolution errors: [{missing}]"
        raise forbidden(review.resource, _name(review), why)


def _changes_ownership_only(new: JsonObject, old: JsonObject | None) -> bool:
    """Say whether an update changes only what the garbage collector must be able to change."""
    return old is not None and _without_ownership(new) == _without_ownership(old)


def _without_ownership(obj: JsonObject) -> JsonObject:
    metadata = {k: v for k, v in obj["metadata"].items() if k not in _OF_OWNERSHIP}
    return obj | {"metadata": metadata}


def _role(obj: JsonObject) -> AggregatedRole:
    return decode(AggregatedRole, msgspec.json.encode(obj))


def _name(review: Review) -> str:
    return str((review.new or {})["metadata"].get("name", ""))


def _parts(rule: PolicyRule) -> Iterator[PolicyRule]:
    """Break a rule down to rules of one verb on one thing."""
    names: list[tuple[str, ...]] = [(name,) for name in rule.resource_names] or [()]
    for group, plural, verb, name in product(rule.api_groups, rule.resources, rule.verbs, names):
        yield PolicyRule((verb,), (group,), (plural,), name)
    for url, verb in product(rule.non_resource_urls, rule.verbs):
        yield PolicyRule(verbs=(verb,), non_resource_urls=(url,))


def _compact(parts: Iterable[PolicyRule]) -> Iterator[PolicyRule]:
    """Bring the verbs on one thing together again; paths stay as they are."""
    verbs: dict[PolicyRule, tuple[str, ...]] = {}
    for part in parts:
        if part.non_resource_urls:
            yield part
        else:
            thing = msgspec.structs.replace(part, verbs=())
            verbs[thing] = verbs.get(thing, ()) + part.verbs
    for thing, all_verbs in verbs.items():
        yield msgspec.structs.replace(thing, verbs=all_verbs)


def _shown(rule: PolicyRule) -> str:
    fields = {
        "APIGroups": rule.api_groups,
        "Resources": rule.resources,
        "NonResourceURLs": rule.non_resource_urls,
        "ResourceNames": rule.resource_names,
        "Verbs": rule.verbs,
    }
    shown = (f"{name}:{_listed(values)}" for name, values in fields.items() if values)
    return "{" + ", ".join(shown) + "}"


def _who(user: User) -> str:
    return f"user {quote(user.name)} (groups={_listed(user.groups)})"


def _listed(values: Iterable[str]) -> str:
    return f"[{' '.join(map(quote, values))}]"
