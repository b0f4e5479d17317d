"""Energy saving: fill the nodes that are on; switch on the one that idles at the fewest watts.

Use it where empty nodes are switched off; the label `power-idle-watts` says what that saves. It
trades away spread and headroom, and a pod may wait for a node to start. `summary` says how many.
"""

from collections.abc import Iterable

from pilotfish import NodeInfo, PerNodePlugin, Pod


class EnergySaving(PerNodePlugin):
    name = "EnergySaving"

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        if node.pods:
            return 50 + min(50, 50 * node.requested["cpu"] // max(1, node.allocatable["cpu"]))
        return max(0, 49 - int(node.labels.get("power-idle-watts", 490)) // 10)

    @staticmethod
    def summary(nodes: Iterable[NodeInfo]) -> str:
        saved = [int(n.labels.get("power-idle-watts", 0)) for n in nodes if not n.pods]
        return f"{len(saved)} nodes could be switched off, which saves {sum(saved)} W"
