"""Spread by app: pods of one app (label `app`) go to different nodes as long as there are any.

Use it where a lost node should cost each app one replica at most, and nobody writes topology spread
constraints. It trades away packing: every app touches many nodes, which keeps them all switched on
and leaves little room in one piece. Pods without the label go anywhere.
"""

from pilotfish import NodeInfo, PerNodePlugin, Pod, fewest_is_best


class SpreadByApp(PerNodePlugin):
    name = "SpreadByApp"
    normalize = staticmethod(fewest_is_best)

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        app = pod.labels.get("app")
        alike = [one for one in node.pods if one.namespace == pod.namespace]
        return sum(one.labels.get("app") == app for one in alike) if app else 0
