"""NodeName, NodeUnschedulable and NodePorts rule by rule, as kubernetes v1.36.3 has them.

The plugins and their tests are in pkg/scheduler/framework/plugins: nodename/node_name.go,
nodeunschedulable/node_unschedulable.go and nodeports/node_ports.go.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

import make
from pilotfish.framework.resources import ANY_ADDRESS
from pilotfish.plugins.node_name import NodeName
from pilotfish.plugins.node_ports import NodePorts
from pilotfish.plugins.node_unschedulable import NodeUnschedulable
from unit.plugins.deciding import cluster, rejected

OTHER_NAME: Final = [("node(s) didn't match the requested node name", False)]
CORDONED: Final = [("node(s) were unschedulable", False)]
TAKEN: Final = [("node(s) didn't have free ports for the requested pod ports", True)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("", {}, id="a pod that names no node goes anywhere"),
        pytest.param("a", {"b": OTHER_NAME}, id="one that names a node goes there"),
        pytest.param("zz", {"a": OTHER_NAME, "b": OTHER_NAME}, id="or nowhere, without the node"),
    ],
)
def test_node_name_keeps_to_the_named_node(name: str, expected: dict[str, Any]) -> None:
    """TestNodeName."""
    nodes = [make.node("a"), make.node("b")]
    assert rejected(NodeName(), make.pod("p", node_name=name), cluster(nodes)) == expected


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        pytest.param([], {"cordoned": CORDONED}, id="a cordoned node takes no pod"),
        pytest.param(["node.kubernetes.io/unschedulable:NoSchedule"], {}, id="but a tolerant one"),
        pytest.param([":"], {}, id="or one that tolerates everything"),
        pytest.param(
            ["node.kubernetes.io/unschedulable:NoExecute"],
            {"cordoned": CORDONED},
            id="the effect that counts is NoSchedule",
        ),
        pytest.param(["other:NoSchedule"], {"cordoned": CORDONED}, id="another key does not help"),
    ],
)
def test_node_unschedulable_wants_its_taint_tolerated(
    tolerations: list[str], expected: dict[str, Any]
) -> None:
    """TestNodeUnschedulable."""
    nodes = [make.node("cordoned", unschedulable=True), make.node("open")]
    found = rejected(NodeUnschedulable(), make.pod("p", tolerations=tolerations), cluster(nodes))
    assert found == expected


def port(text: str) -> dict[str, Any]:
    """Make a port of `protocol/address/number`; the address may be empty."""
    protocol, address, number = text.split("/")
    found = {"protocol": protocol, "hostPort": int(number), "containerPort": 80}
    return found | ({"hostIP": address} if address else {})


def with_ports(name: str, *ports: str, **rest: Any) -> Any:
    container = {"name": "c", "ports": [port(one) for one in ports]}
    return make.pod(name, **({"containers": [container]} | rest))


ONE, TWO = "10.0.0.1", "10.0.0.2"


@pytest.mark.parametrize(
    ("taken", "wanted", "is_free"),
    [
        pytest.param("TCP//80", "TCP//81", True, id="another port"),
        pytest.param("TCP//80", "TCP//80", False, id="the same port"),
        pytest.param("UDP//80", "UDP//80", False, id="the same one of another protocol"),
        pytest.param("TCP//80", "UDP//80", True, id="protocols do not meet"),
        pytest.param(f"TCP/{ONE}/80", f"TCP/{TWO}/80", True, id="addresses do not meet"),
        pytest.param(f"TCP/{ONE}/80", f"TCP/{ONE}/80", False, id="the same address"),
        pytest.param(f"TCP/{ONE}/80", "TCP//80", False, id="no address is every address"),
        pytest.param(f"TCP/{ANY_ADDRESS}/80", f"TCP/{ONE}/80", False, id="so is that of all"),
        pytest.param(f"TCP/{ANY_ADDRESS}/80", f"UDP/{ONE}/80", True, id="of the same protocol"),
        pytest.param("TCP//80", "TCP//0", True, id="a port of the container alone is none"),
        pytest.param("TCP//80", "TCP//79 TCP//80", False, id="one of several is taken"),
        pytest.param("TCP//79 TCP//80", "TCP//80", False, id="by one of several"),
    ],
)
def test_a_host_port_is_taken_once(taken: str, wanted: str, *, is_free: bool) -> None:
    """TestNodePorts, TestFits."""
    placed = with_ports("placed", *taken.split(), node_name="n")
    asked = with_ports("p", *wanted.split())
    found = rejected(NodePorts(), asked, cluster([make.node("n"), make.node("m")], [placed]))
    assert found == ({} if is_free else {"n": TAKEN})


@pytest.mark.parametrize(
    ("restart_policy", "expected"),
    [
        pytest.param({"restartPolicy": "Always"}, {"n": TAKEN}, id="a sidecar takes its port"),
        pytest.param({}, {}, id="an init container that ends takes none"),
    ],
)
def test_ports_of_init_containers(restart_policy: dict[str, str], expected: dict[str, Any]) -> None:
    """TestNodePorts: of the pod that is placed, and of the one in place."""
    init = {"name": "i", "ports": [port("TCP//80")]} | restart_policy
    plain, nodes = with_ports("plain", "TCP//80"), [make.node("n")]
    placed = with_ports("placed", init_containers=[init], node_name="n")
    assert rejected(NodePorts(), plain, cluster(nodes, [placed])) == expected
    asked = with_ports("asked", init_containers=[init])
    taken = with_ports("taken", "TCP//80", node_name="n")
    assert rejected(NodePorts(), asked, cluster(nodes, [taken])) == expected
