"""The plugins that one look at a pod and a node settles."""

import pytest

import make
from pilotfish.framework.resources import ANY_ADDRESS
from pilotfish.plugins.node_name import NodeName
from pilotfish.plugins.node_ports import NodePorts
from pilotfish.plugins.node_unschedulable import NodeUnschedulable
from pilotfish.plugins.priority_sort import PrioritySort
from pilotfish.plugins.scheduling_gates import SchedulingGates
from pilotfish.plugins.taint_toleration import TaintToleration
from unit.plugins.deciding import alone, cluster, rejected, scores

TAINTED = ("node(s) had untolerated taint(s)", False)
CORDONED = ("node(s) were unschedulable", False)
CORDON = "node.kubernetes.io/unschedulable:NoSchedule"


def test_more_important_pods_come_first_then_those_that_waited_longer() -> None:
    order = PrioritySort()
    keys = [
        order.sort_key(make.pod("high", priority=5), 9.0),
        order.sort_key(make.pod("early"), 1.0),
        order.sort_key(make.pod("late"), 2.0),
        order.sort_key(make.pod("negative", priority=-1), 0.0),
    ]
    assert keys == sorted(keys)


def test_gates_keep_a_pod_out_of_the_queue_and_are_named() -> None:
    gated = make.pod("p", scheduling_gates=[{"name": "a"}, {"name": "b"}])
    found = alone(SchedulingGates()).pre_enqueue(gated)
    assert found is not None
    assert found.reason == "waiting for scheduling gates: [a b]"
    assert alone(SchedulingGates()).pre_enqueue(make.pod("q")) is None


def test_cordoned_node_takes_only_pods_that_tolerate_it() -> None:
    nodes = cluster([make.node("n", unschedulable=True), make.node("m")])
    assert rejected(NodeUnschedulable(), make.pod("p"), nodes) == {"n": [CORDONED]}
    for tolerated in (CORDON, ":"):
        tolerant = make.pod("p", tolerations=[tolerated])
        assert rejected(NodeUnschedulable(), tolerant, nodes) == {}
    other = make.pod("p", tolerations=["node.kubernetes.io/unschedulable:NoExecute"])
    assert rejected(NodeUnschedulable(), other, nodes) == {"n": [CORDONED]}


def test_pod_that_names_its_node_goes_nowhere_else() -> None:
    nodes = cluster([make.node("n"), make.node("m")])
    reason = ("node(s) didn't match the requested node name", False)
    assert rejected(NodeName(), make.pod("p", node_name="m"), nodes) == {"n": [reason]}
    assert rejected(NodeName(), make.pod("p"), nodes) == {}


@pytest.mark.parametrize(
    ("tolerations", "names"),
    [
        ([], ["hard", "running"]),
        (["gpu=a:NoSchedule"], ["running"]),
        (["gpu=b:NoSchedule"], ["hard", "running"]),
        (["gpu:"], ["running"]),
        ([":"], []),
        ([":NoSchedule"], ["running"]),
    ],
)
def test_hard_taint_needs_a_toleration(tolerations: list[str], names: list[str]) -> None:
    nodes = cluster(
        [
            make.node("hard", taints=["gpu=a:NoSchedule"]),
            make.node("running", taints=["down:NoExecute", "gpu=a:NoSchedule"]),
            make.node("soft", taints=["gpu=a:PreferNoSchedule"]),
        ]
    )
    pod = make.pod("p", tolerations=tolerations)
    assert rejected(TaintToleration(), pod, nodes) == {name: [TAINTED] for name in names}


def test_node_with_fewest_untolerated_soft_taints_scores_highest() -> None:
    soft = [f"t{i}:PreferNoSchedule" for i in range(3)]
    nodes = [make.node(f"n{i}", taints=soft[:i]) for i in range(4)]
    plain = scores(TaintToleration(), make.pod("p"), cluster(nodes))
    assert plain == {"n0": 100, "n1": 67, "n2": 34, "n3": 0}
    tolerant = make.pod("p", tolerations=["t0", "t1:PreferNoSchedule", "t2:NoSchedule"])
    assert scores(TaintToleration(), tolerant, cluster(nodes)) == {
        "n0": 100,
        "n1": 100,
        "n2": 100,
        "n3": 0,
    }


def test_soft_taints_of_infeasible_nodes_set_no_scale() -> None:
    hard = ["x:NoSchedule", *(f"t{i}:PreferNoSchedule" for i in range(4))]
    nodes = [make.node("n", taints=hard[1:2]), make.node("m"), make.node("far", taints=hard)]
    assert scores(TaintToleration(), make.pod("p"), cluster(nodes)) == {"n": 0, "m": 100}


@pytest.mark.parametrize(
    ("ip", "protocol", "port", "is_free"),
    [
        ("", "TCP", 80, False),
        ("10.0.0.1", "TCP", 80, False),
        ("10.0.0.2", "TCP", 80, True),
        (ANY_ADDRESS, "TCP", 80, False),
        ("", "UDP", 80, True),
        ("", "TCP", 81, True),
    ],
)
def test_port_is_free_where_its_address_protocol_or_number_differ(
    ip: str, protocol: str, port: int, *, is_free: bool
) -> None:
    """A node's port 80 is taken on one address; one on all addresses clashes with any."""

    def container(ip: str, protocol: str, port: int) -> list[dict[str, object]]:
        return [{"ports": [{"hostIP": ip, "protocol": protocol, "hostPort": port}]}]

    taken = make.pod("a", node_name="n", containers=container("10.0.0.1", "TCP", 80))
    asking = make.pod("p", containers=container(ip, protocol, port))
    found = rejected(NodePorts(), asking, cluster([make.node("n")], [taken]))
    reason = ("node(s) didn't have free ports for the requested pod ports", True)
    assert found == ({} if is_free else {"n": [reason]})


def test_port_taken_on_all_addresses_clashes_with_one() -> None:
    taken = make.pod("a", node_name="n", host_ports=[80])
    one = [{"ports": [{"hostIP": "10.0.0.1", "hostPort": 80}]}]
    nodes = cluster([make.node("n"), make.node("m")], [taken])
    assert list(rejected(NodePorts(), make.pod("p", containers=one), nodes)) == ["n"]


def test_pod_without_host_ports_is_skipped() -> None:
    filtered = alone(NodePorts()).filter(make.pod("p"), cluster([make.node("n")]))
    assert filtered.states == {}
