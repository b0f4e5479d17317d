"""Only prod: pods go to nodes that are labelled env=prod, and to no others.

Use it where a scheduler serves one environment and its users should not have to say so in each pod.
It trades away every other node: when those of prod are full, pods wait although there is room
elsewhere. Pods that say themselves where they go need no policy, but a nodeSelector.
"""

from pilotfish import ClusterEvent, NodeInfo, PerNodePlugin, Pod, Rejection


class OnlyProd(PerNodePlugin):
    name = "OnlyProd"
    requeue_on = {ClusterEvent.NODE_ADDED, ClusterEvent.NODE_LABELS_CHANGED}

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        if node.labels.get("env") != "prod":
            return Rejection("node(s) were not labelled env=prod", resolvable=False)
        return None
