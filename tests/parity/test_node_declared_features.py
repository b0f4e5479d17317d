"""NodeDeclaredFeatures rule by rule, as kubernetes v1.36.3 has it.

The plugin is pkg/scheduler/framework/plugins/nodedeclaredfeatures/nodedeclaredfeatures.go; what a
pod needs is said in staging/src/k8s.io/component-helpers/nodedeclaredfeatures/features.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

import make
from pilotfish.plugins.node_declared_features import NodeDeclaredFeatures
from unit.plugins.deciding import cluster, rejected

REASON: Final = "node(s) didn't match Pod's required features"
RESTART: Final = "RestartAllContainersOnContainerExits"
USERS: Final = "UserNamespacesHostNetworkSupport"
NODES: Final = [
    make.node("none"),
    make.node("other", features=["ExtendWebSocketsToKubelet"]),
    make.node("restart", features=[RESTART]),
    make.node("users", features=[USERS]),
    make.node("both", features=["Another", RESTART, USERS]),
]
FILTER, PRE_FILTER = "TestFilter", "TestPreFilter"
RESTARTS: Final = "restartallcontainers/restart_all_containers_test.go"
NAMESPACES: Final = "usernamespaceshostnetwork/user_namespaces_host_network_test.go"


def restarting(action: str) -> dict[str, Any]:
    return {"name": "c", "restartPolicyRules": [{"action": action}]}


ALL: Final = {"containers": [restarting("Restart"), restarting("RestartAllContainers")]}
MAPPED: Final = {"host_network": True, "host_users": False}


@pytest.mark.parametrize(
    ("source", "spec", "lacking"),
    [
        pytest.param(PRE_FILTER, {}, "", id="a pod without needs goes anywhere"),
        pytest.param(FILTER, ALL, "none other users", id="a need has to be declared"),
        pytest.param(FILTER, MAPPED, "none other restart", id="declaring more does not hurt"),
        pytest.param(FILTER, ALL | MAPPED, "none other restart users", id="all needs have to be"),
        pytest.param(
            RESTARTS,
            {"init_containers": [restarting("RestartAllContainers")]},
            "none other users",
            id="init containers have needs as well",
        ),
        pytest.param(
            RESTARTS, {"containers": [restarting("Restart")]}, "", id="plain rules are no need"
        ),
        pytest.param(
            NAMESPACES, {"host_users": False}, "", id="user namespaces without host network"
        ),
        pytest.param(
            NAMESPACES,
            {"host_network": True, "host_users": True},
            "",
            id="host network without user namespaces",
        ),
        pytest.param(NAMESPACES, {"host_network": True}, "", id="hostUsers is true by default"),
    ],
)
def test_nodes_lack_what_the_pod_needs(source: str, spec: dict[str, Any], lacking: str) -> None:
    found = rejected(NodeDeclaredFeatures(), make.pod("p", **spec), cluster(NODES))
    assert found == {name: [(REASON, False)] for name in lacking.split()}, source
