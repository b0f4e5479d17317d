"""Cluster roles that are made up of others, chosen by label.

Source: kubernetes v1.36 pkg/controller/clusterroleaggregation.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pilotfish.api.meta import ApiStruct
from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.kinds import CLUSTER_ROLES
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.rbac.index import Mirror
from pilotfish.cluster.rbac.policy import PolicyRule, Role


class AggregationRule(ApiStruct, frozen=True):
    """Which roles make up another one."""

    cluster_role_selectors: tuple[LabelSelector, ...] = ()


class AggregatedRole(Role, frozen=True):
    """A ClusterRole with its aggregation, None for a plain one."""

    aggregation_rule: AggregationRule | None = None


def aggregated_rules(aggregation: AggregationRule, roles: Iterable[Role]) -> tuple[PolicyRule, ...]:
    """Give the rules of all roles that a selector matches, by selector and name, each rule once."""
    by_name = sorted(roles, key=lambda role: role.name)
    return tuple(
        dict.fromkeys(
            rule
            for selector in aggregation.cluster_role_selectors
            for role in by_name
            if selector.matches(role.labels)
            for rule in role.rules
        )
    )


class RoleAggregation:
    """Keeps the rules of aggregated roles equal to those of the roles that make them up."""

    def __init__(self, client: LoopbackClient) -> None:
        self._client = client
        self._roles = Mirror(client.store, CLUSTER_ROLES.storage, AggregatedRole)

    def sync(self, now: float) -> None:
        """Rewrite the aggregated roles whose parts have changed since the last time.

        A role that aggregates aggregated ones settles with the next calls.
        """
        if not self._roles.refresh():
            return
        roles = list(self._roles.of(""))
        for role in roles:
            if role.aggregation_rule is None:
                continue
            others = (other for other in roles if other.name != role.name)
            rules = aggregated_rules(role.aggregation_rule, others)
            if rules != role.rules:
                patch = {"rules": msgspec.to_builtins(rules)}
                self._client.patch(CLUSTER_ROLES, "", role.name, patch, now)
