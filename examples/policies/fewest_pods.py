"""Fewest pods: the next pod goes to the node that has the fewest.

The first policy of every course. Use it where pods are alike and a failing node should take as few
of them along as possible. It counts pods and not what they ask for, so a node with one giant looks
emptier than one with two dwarfs; and it keeps no node free for large pods that come later.
"""

from pilotfish import NodeInfo, PerNodePlugin, Pod, fewest_is_best


class FewestPods(PerNodePlugin):
    name = "FewestPods"
    normalize = staticmethod(fewest_is_best)

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        return len(node.pods)
