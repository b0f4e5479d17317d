"""The files that `pilotfish policy new` writes."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

POLICY = '''"""{title}: say here when to use it, and what it trades away.

Try it:   pilotfish policy check {module}.py
          pilotfish demo --policy {module}.py
Run it:   pilotfish run --policy {module}.py=5      (its scores count five times)
Test it:  pytest test_{module}.py
"""

from pilotfish import ClusterEvent, NodeInfo, PerNodePlugin, Pod, Rejection


class {title}(PerNodePlugin):
    """Keep pods off nodes with the label `drain`; prefer nodes with few pods."""

    name = "{title}"  # in messages, logs and configuration files
    # What can make a node acceptable that `filter_node` rejected: pods wait for these events.
    requeue_on = {{ClusterEvent.NODE_ADDED, ClusterEvent.NODE_LABELS_CHANGED}}

    # Asked about each node that is still possible. None: fine. Leave it out if nothing is rejected.
    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        if "drain" in node.labels:
            # Short and without names: it is counted over the nodes and shown by kubectl describe.
            # resolvable: whether evicting pods from the node could help.
            return Rejection("node(s) were being drained", resolvable=False)
        return None

    # Asked about each node that passed all filters: a whole number from 0 to 100, 100 is best.
    # For other numbers add `normalize = staticmethod(most_is_best)`, or fewest_is_best.
    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        return max(0, 100 - len(node.pods))
'''

TEST = '''"""{title}, decided by the real scheduler."""

from {module} import {title}
from pilotfish.testing import decide, node, pod


def test_node_with_fewer_pods_is_chosen():
    nodes = [node("a"), node("b")]
    pods = [pod("old", node_name="a"), pod("new")]
    decision = decide({title}, pods, nodes, only_policy=True)["new"]
    assert decision.node_name == "b"


def test_node_that_is_drained_is_left_out():
    nodes = [node("a", labels={{"drain": ""}})]
    decision = decide({title}, [pod("new")], nodes)["new"]
    assert decision.node_name == ""
    assert "1 node(s) were being drained" in decision.message
'''


def files_for(name: str, folder: Path) -> dict[Path, str]:
    """Return what is written, by file.

    Raises:
        ValueError: no module or class can have this name.
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-_ ]+", " ", name.removesuffix(".py")).split()
    module, title = "_".join(words).lower(), "".join(word[:1].upper() + word[1:] for word in words)
    if not module.isidentifier() or keyword.iskeyword(module):
        raise ValueError(f"{name!r} is no name for a policy; take letters, as in spread-by-team")
    names = {"module": module, "title": title}
    return {
        folder / f"{module}.py": POLICY.format(**names),
        folder / f"test_{module}.py": TEST.format(**names),
    }
