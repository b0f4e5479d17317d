"""`pilotfish.testing`, as authors use it."""

from __future__ import annotations

import pytest

from pilotfish import ClusterEvent, NodeInfo, PerNodePlugin, Pod, Rejection
from pilotfish.testing import decide, node, pod


class FewestPods(PerNodePlugin):
    """Prefers nodes with few pods."""

    name = "FewestPods"

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        """Fail for pods that say so."""
        if "broken" in pod.labels:
            raise ValueError("it is broken")
        return 100 - len(node.pods)


class Quiet(PerNodePlugin):
    """Keeps off noisy nodes."""

    name = "Quiet"
    requeue_on = frozenset({ClusterEvent.NODE_ADDED})

    def filter_node(self, _pod: Pod, node: NodeInfo) -> Rejection | None:
        """Look at the label."""
        return Rejection("node(s) were noisy") if "noisy" in node.labels else None


def test_pods_see_those_in_place_and_those_decided_before_them() -> None:
    nodes = [node("a"), node("b")]
    pods = [pod("old", node_name="a"), pod("x"), pod("y", priority=10), pod("z")]
    decided = decide(FewestPods, pods, nodes, only_policy=True)
    assert list(decided) == ["y", "x", "z"]
    assert decided["y"].node_name == "b"
    assert decided["y"].best[0].by_plugin == {"FewestPods": 100}
    assert {decided["x"].node_name, decided["z"].node_name} == {"a", "b"}


def test_weight_counts_beside_the_usual_scores() -> None:
    nodes = [node("small", cpu="1"), node("large", cpu="64")]
    pods = [pod("old", node_name="large"), pod("new", cpu="500m")]
    assert decide(FewestPods, pods, nodes)["new"].node_name == "large"
    assert decide(FewestPods, pods, nodes, weight=1000)["new"].node_name == "small"


def test_pod_without_a_node_says_why() -> None:
    decided = decide(Quiet, [pod("p")], [node("a", labels={"noisy": ""})])
    assert decided["p"].node_name == ""
    assert decided["p"].message.startswith("0/1 nodes are available: 1 node(s) were noisy.")


def test_failure_of_the_policy_fails_the_test() -> None:
    with pytest.raises(AssertionError, match=r"'FewestPods' failed in score .* it is broken"):
        decide(FewestPods, [pod("p", labels={"broken": ""})], [node("a"), node("b")])
