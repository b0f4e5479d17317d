"""What nodes give: a taint to themselves when they are new, topology labels to pods."""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.admission.plugin import Review
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Store

NOT_READY: Final = "node.kubernetes.io/not-ready"
TOPOLOGY_LABELS: Final = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class TaintNodesByCondition:
    """Taints new nodes as not ready, so that no pod is bound before the first heartbeat.

    Source: kubernetes v1.36 plugin/pkg/admission/nodetaint/admission.go.
    """

    def admit(self, review: Review) -> None:
        """Let a write pass, with the taint."""
        node = review.new
        if review.resource.kind != "Node" or review.operation != "create" or node is None:
            return
        taints: list[JsonObject] = node.setdefault("spec", {}).get("taints") or []
        if not any(t.get("key") == NOT_READY and t.get("effect") == "NoSchedule" for t in taints):
            node["spec"]["taints"] = [*taints, {"key": NOT_READY, "effect": "NoSchedule"}]


class PodTopologyLabels:
    """Copies the zone and region of its node to a pod that is created with a node.

    Source: kubernetes v1.36 plugin/pkg/admission/podtopologylabels/admission.go.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, review: Review) -> None:
        """Let a write pass, with labels."""
        pod = review.new
        if review.resource.kind != "Pod" or review.operation != "create" or pod is None:
            return
        if found := topology_labels(self._store, pod["spec"].get("nodeName", "")):
            pod["metadata"]["labels"] = (pod["metadata"].get("labels") or {}) | found


def topology_labels(store: Store, node_name: str) -> dict[str, str]:
    """Give the labels that pods on a node get; none where the node is not known."""
    node = store.get("nodes", "", node_name) if node_name else None
    if node is None:
        return {}
    return {key: node.labels[key] for key in TOPOLOGY_LABELS if key in node.labels}
