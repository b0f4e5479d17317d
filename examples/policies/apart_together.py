"""Apart and together: tenants never share a node, and pods of one team are near each other.

Use it where data of different tenants (label `tenant`) must not meet on one machine, and teams
(label `team`) talk much among themselves. It trades away room: one pod of a tenant keeps all other
tenants off its node. Pods without these labels go anywhere; affinity in each pod says the same.
"""

from pilotfish import ClusterEvent, NodeInfo, PerNodePlugin, Pod, Rejection, most_is_best


class ApartTogether(PerNodePlugin):
    name = "ApartTogether"
    requeue_on = {ClusterEvent.NODE_ADDED, ClusterEvent.ASSIGNED_POD_DELETED}
    normalize = staticmethod(most_is_best)

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        both = {pod.labels.get("tenant"), *(one.labels.get("tenant") for one in node.pods)}
        return Rejection("node(s) had another tenant") if len(both - {None}) > 1 else None

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        team = pod.labels.get("team")
        return sum(one.labels.get("team") == team for one in node.pods) if team else 0
