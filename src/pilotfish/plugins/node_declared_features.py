"""NodeDeclaredFeatures: a pod that needs a feature of the kubelet goes where it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import any_per_node
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import SKIP, Reject, Skip

REASON: Final = "node(s) didn't match Pod's required features"
RESTART_ALL_CONTAINERS: Final = "RestartAllContainersOnContainerExits"
USER_NAMESPACES_ON_HOST_NETWORK: Final = "UserNamespacesHostNetworkSupport"


class NodeDeclaredFeatures(Plugin):
    """Keep pods off nodes that do not declare the features which the pod needs.

    Source: kubernetes v1.36
        pkg/scheduler/framework/plugins/nodedeclaredfeatures/nodedeclaredfeatures.go,
        staging/src/k8s.io/component-helpers/nodedeclaredfeatures.
    """

    name = "NodeDeclaredFeatures"
    requeue_on = frozenset({ClusterEvent.NODE_ADDED, ClusterEvent.NODE_FEATURES_CHANGED})
    reads_pods = False

    def pre_filter(self, pod: Pod) -> tuple[str, ...] | Skip:
        """Return the features that the pod needs."""
        return needed_features(pod) or SKIP

    def filter(self, nodes: NodeTable, state: tuple[str, ...]) -> Iterator[Reject]:
        """Reject nodes that lack one of them."""
        declared = nodes.declared_features
        lacking = np.zeros(len(nodes), dtype=np.bool_)
        for feature in state:
            lacking |= ~any_per_node(declared.ids == declared.id_of(feature))
        yield Reject(lacking, REASON, resolvable=False)


def needed_features(pod: Pod) -> tuple[str, ...]:
    """List what a pod needs of its node's kubelet; other features matter to updates only."""
    features = []
    containers = (*pod.spec.containers, *pod.spec.init_containers)
    rules = (rule for container in containers for rule in container.restart_policy_rules)
    if any(rule.action == "RestartAllContainers" for rule in rules):
        features.append(RESTART_ALL_CONTAINERS)
    if pod.spec.host_network and pod.spec.host_users is False:
        features.append(USER_NAMESPACES_ON_HOST_NETWORK)
    return tuple(features)
