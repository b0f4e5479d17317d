"""For tests of policies: pods and nodes in a line each, and the real scheduler to decide on them.

from pilotfish.testing import decide, node, pod

def test_emptier_node_is_chosen() -> None:
    nodes = [node("a"), node("b")]
    pods = [pod("old", node_name="a"), pod("new")]
    assert decide(FewestPods, pods, nodes, only_policy=True)["new"].node_name == "b"
"""

from pilotfish.testing.deciding import decide
from pilotfish.testing.makers import node, pod, taint, toleration

__all__ = ["decide", "node", "pod", "taint", "toleration"]
