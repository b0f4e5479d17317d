"""Step 8 of the lab for pilotfish: nodes labelled env=prod only, and pods of one app spread.

The rest of the step is there without a policy: taints are looked at before any score, and a bind
that fails is tried again later and later.
"""

from pilotfish import ClusterEvent, NodeInfo, PerNodePlugin, Pod, Rejection, fewest_is_best


class ProdSpread(PerNodePlugin):
    """Leave out nodes without env=prod; of the others prefer those with few pods of the app."""

    name = "ProdSpread"
    requeue_on = {ClusterEvent.NODE_ADDED, ClusterEvent.NODE_LABELS_CHANGED}
    normalize = staticmethod(fewest_is_best)

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        """Reject a node that is not for production."""
        if node.labels.get("env") != "prod":
            return Rejection("node(s) were not labelled env=prod")
        return None

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        """Count the pods of the same app."""
        app = pod.labels.get("app")
        return sum(one.labels.get("app") == app for one in node.pods) if app else 0
